#pragma once

#include "ui/thresholds/tuningsession.h"

#include <QWidget>

class QTableWidget;

namespace sluice::ui {

class Text;

/// What would be decided differently than with the live set, on labelled rows and on recorded
/// traffic: counts by kind, and the queries behind each.
class FlipsView : public QWidget
{
    Q_OBJECT

public:
    explicit FlipsView(TuningSession* session, QWidget* parent = nullptr);
    QTableWidget* kinds() const { return m_kinds; }
    QTableWidget* list() const { return m_list; }
    Text* verdict() const { return m_verdict; }

private:
    void refresh();
    void showQueries();
    QStringList rowOf(const ops::Flip& flip, bool traffic) const;

    TuningSession* m_session;
    QTableWidget* m_kinds;
    QTableWidget* m_list;
    Text* m_verdict;
    Text* m_title;
};

} // namespace sluice::ui

#pragma once

#include "engine/operations/queries/feedbackinbox.h"
#include "ui/classify/classifysettings.h"

#include <QWidget>

class QCheckBox;
class QTableWidget;

namespace sluice::ui {

class Button;
class Console;
class InfoBanner;
class StateView;

/// What users said about answers: looked at, labelled, taken into the suite or the data, or
/// recorded by hand.
class InboxView : public QWidget
{
    Q_OBJECT

public:
    InboxView(Console* console, ClassifySettings* settings, QWidget* parent = nullptr);

    void refresh();
    void recordByHand(); ///< asks what was complained of
    void label(const QString& intent); ///< the chosen one
    void takeIntoSuite();
    void takeIntoData();
    void setDone(bool done);

    ops::FeedbackInbox* inbox() const { return m_inbox; }
    QTableWidget* table() const { return m_table; }
    InfoBanner* banner() const { return m_banner; }
    StateView* stateView() const { return m_state; }

Q_SIGNALS:
    void queryChosen(const QString& query);
    void openChanged(int open); ///< how many wait
    void caseSaved();

private:
    void showItems();
    const ops::FeedbackItem* chosen() const;
    QString labelOf(const ops::FeedbackItem& item) const;
    void chooseLabel();
    /// Says why not, where it has no query or no label.
    bool canTake(const ops::FeedbackItem* item);

    Console* m_console;
    ClassifySettings* m_settings;
    ops::FeedbackInbox* m_inbox;
    QHash<QString, QString> m_labels; ///< given here, by id
    StateView* m_state;
    QTableWidget* m_table;
    QCheckBox* m_all;
    InfoBanner* m_banner;
    QList<Button*> m_rowButtons;
};

} // namespace sluice::ui

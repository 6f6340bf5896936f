#pragma once

#include "engine/classification/context/session.h"
#include "ui/shell/card.h"

#include <functional>

class QCheckBox;
class QTableWidget;

namespace sluice::ui {

/// What the session remembers, with the ways to change it. Changes nothing itself.
class SessionCard : public Card
{
    Q_OBJECT

public:
    explicit SessionCard(QWidget* parent = nullptr);

    void show(const Session& session, const QString& state);
    bool isFrozen() const;
    void setFrozen(bool frozen);

Q_SIGNALS:
    void clearRequested();
    void editRequested();
    void openRequested();
    void saveRequested();
    void stepRequested();
    void frozenChanged(bool frozen);

private:
    QTableWidget* m_table;
    QCheckBox* m_frozen;
};

/// A session's state as JSON, to be edited; checked before it is taken.
void editSession(
    QWidget* parent, const Session& session, const std::function<void(const Session&)>& changed);

} // namespace sluice::ui

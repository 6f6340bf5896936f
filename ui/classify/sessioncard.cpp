#include "ui/classify/sessioncard.h"

#include "ui/classify/quiettable.h"
#include "ui/shell/button.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/theme.h"

#include <QCheckBox>
#include <QDialog>
#include <QGridLayout>
#include <QHeaderView>
#include <QJsonDocument>
#include <QPlainTextEdit>
#include <QTableWidget>

namespace sluice::ui {

SessionCard::SessionCard(QWidget* parent)
    : Card(tr("Context"), tr("what the session remembers"), parent)
    , m_table(quietTable(tr("Context"), 2, this))
    , m_frozen(new QCheckBox(tr("Frozen"), this))
{
    m_table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_table->horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
    m_frozen->setToolTip(
        tr("Queries are classified in this session and do not become turns of it"));
    m_frozen->setAccessibleName(tr("Context frozen"));
    connect(m_frozen, &QCheckBox::toggled, this, &SessionCard::frozenChanged);
    content()->addWidget(m_table, 1);
    content()->addWidget(m_frozen);
    auto* grid = new QGridLayout;
    grid->setSpacing(6);
    const auto add = [&](int row, int column, const QString& text, const QString& tip,
                         auto signal) {
        auto* button = new Button(text, ButtonRole::Plain, this);
        button->setToolTip(tip);
        connect(button, &Button::clicked, this, signal);
        grid->addWidget(button, row, column);
    };
    add(0, 0, tr("Clear"), tr("Begins a new session (Ctrl+Shift+L); can be undone"),
        &SessionCard::clearRequested);
    add(0, 1, tr("Edit…"), tr("The session's state as JSON"), &SessionCard::editRequested);
    add(1, 0, tr("Open…"), tr("A conversation from a file (Ctrl+O)"), &SessionCard::openRequested);
    add(1, 1, tr("Save…"), tr("The conversation and the session's state (Ctrl+S)"),
        &SessionCard::saveRequested);
    add(2, 0, tr("Next turn"), tr("Replays the conversation turn by turn (F6)"),
        &SessionCard::stepRequested);
    content()->addLayout(grid);
}

void SessionCard::show(const Session& session, const QString& state)
{
    QList<std::pair<QString, QString>> rows{
        {tr("session"), QString::fromStdString(session.id.substr(0, 8))},
        {tr("turns"), QString::number(session.turnCount)},
        {tr("failures"), QString::number(session.failuresInARow)},
        {tr("context"), state.isEmpty() ? format::missing() : state}};
    for (auto turn = session.turns.rbegin(); turn != session.turns.rend(); ++turn) {
        QString what = turn->intent.empty() ? QString::fromUtf8(toString(turn->verdict).data(),
                           qsizetype(toString(turn->verdict).size()))
                                            : QString::fromStdString(turn->intent);
        if (turn->newSubject) {
            what += tr(" · new subject");
        }
        rows << std::pair(tr("turn %1").arg(turn->number), what);
        for (const Entity& entity : turn->entities) {
            rows << std::pair(QStringLiteral("  ") + QString::fromStdString(entity.type),
                QString::fromStdString(entity.value));
        }
    }
    m_table->setRowCount(int(rows.size()));
    for (int row = 0; row < rows.size(); ++row) {
        putCell(m_table, row, 0, rows[row].first, theme().colors().muted);
        putCell(m_table, row, 1, rows[row].second);
    }
}

bool SessionCard::isFrozen() const
{
    return m_frozen->isChecked();
}

void SessionCard::setFrozen(bool frozen)
{
    m_frozen->setChecked(frozen);
}

void editSession(
    QWidget* parent, const Session& session, const std::function<void(const Session&)>& changed)
{
    auto* dialog = new QDialog(parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setObjectName(QStringLiteral("editSession"));
    dialog->setWindowTitle(
        SessionCard::tr("Session %1").arg(QString::fromStdString(session.id.substr(0, 8))));
    dialog->resize(560, 460);
    auto* layout = new QVBoxLayout(dialog);
    auto* banner = new InfoBanner(dialog);
    auto* text = new QPlainTextEdit(dialog);
    text->setAccessibleName(SessionCard::tr("Session as JSON"));
    text->setTabChangesFocus(true);
    text->setPlainText(QString::fromUtf8(
        QJsonDocument::fromJson(QByteArray::fromStdString(session.toJson())).toJson()));
    auto* take = new Button(SessionCard::tr("Take this state"), ButtonRole::Primary, dialog);
    auto* cancel = new Button(SessionCard::tr("Cancel"), ButtonRole::Plain, dialog);
    auto* row = new QHBoxLayout;
    row->addStretch();
    row->addWidget(cancel);
    row->addWidget(take);
    layout->addWidget(banner);
    layout->addWidget(text, 1);
    layout->addLayout(row);
    QObject::connect(cancel, &Button::clicked, dialog, &QDialog::reject);
    QObject::connect(take, &Button::clicked, dialog, [dialog, text, banner, session, changed] {
        auto read = Session::fromJson(text->toPlainText().toStdString());
        if (!read) {
            banner->show(Tone::Bad, QString::fromStdString(read.error().text()));
            return;
        }
        read->id = session.id;
        dialog->accept();
        changed(*read);
    });
    dialog->open();
}

} // namespace sluice::ui

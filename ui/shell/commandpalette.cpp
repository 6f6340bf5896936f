#include "ui/shell/commandpalette.h"

#include "ui/shell/theme.h"

#include <QApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>

namespace sluice::ui {

namespace {

QString plainText(const QAction& action)
{
    QString text = action.text();
    return text.remove(QLatin1Char('&'));
}

} // namespace

std::optional<int> fuzzyScore(const QString& pattern, const QString& text)
{
    int score = 0;
    qsizetype at = 0;
    qsizetype last = -2;
    for (const QChar wanted : pattern) {
        if (wanted.isSpace()) {
            continue;
        }
        const auto startsWord = [&text](qsizetype i) {
            return i == 0 || !text.at(i - 1).isLetterOrNumber();
        };
        // A word's start further on beats a letter in the middle of a word, unless it goes on a
        // run.
        qsizetype found = -1;
        for (qsizetype i = at; i < text.size(); ++i) {
            if (text.at(i).toCaseFolded() != wanted.toCaseFolded()) {
                continue;
            }
            if (i == last + 1 || startsWord(i)) {
                found = i;
                break;
            }
            if (found < 0) {
                found = i;
            }
        }
        if (found < 0) {
            return std::nullopt;
        }
        score += found == last + 1 ? 8 : startsWord(found) ? 6 : 1;
        score -= static_cast<int>(std::min<qsizetype>(found - at, 3));
        last = found;
        at = found + 1;
    }
    return score;
}

CommandPalette::CommandPalette(QWidget* parent)
    : QFrame(parent)
    , m_edit(new QLineEdit)
    , m_list(new QListWidget)
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(12, 12, 12, 12);
    m_edit->setPlaceholderText(tr("What to do…"));
    m_edit->setAccessibleName(tr("Search for an action"));
    m_edit->setClearButtonEnabled(true);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setAccessibleName(tr("Actions"));
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setUniformItemSizes(true);
    layout->addWidget(m_edit);
    layout->addWidget(m_list, 1);
    m_edit->installEventFilter(this);
    connect(m_edit, &QLineEdit::textChanged, this, &CommandPalette::filter);
    connect(m_list, &QListWidget::itemClicked, this, &CommandPalette::trigger);
    setAccessibleName(tr("Command palette"));
    hide();
}

void CommandPalette::open(const QList<QAction*>& actions)
{
    m_before = QApplication::focusWidget();
    m_actions.clear();
    for (QAction* action : actions) {
        if (!action->isSeparator() && action->menu() == nullptr && !action->text().isEmpty()) {
            m_actions.append(action);
        }
    }
    const int width = std::min(560, parentWidget()->width() - 40);
    setGeometry((parentWidget()->width() - width) / 2, 54, width,
        std::min(420, parentWidget()->height() - 80));
    m_edit->clear();
    filter({});
    show();
    raise();
    m_edit->setFocus();
}

QStringList CommandPalette::shown() const
{
    QStringList texts;
    for (const auto& action : m_listed) {
        texts.append(action ? plainText(*action) : QString());
    }
    return texts;
}

void CommandPalette::filter(const QString& pattern)
{
    QList<std::pair<int, QPointer<QAction>>> fitting;
    for (const auto& action : std::as_const(m_actions)) {
        if (action && action->isEnabled()) {
            if (const auto score = fuzzyScore(pattern, plainText(*action))) {
                fitting.append({*score, action});
            }
        }
    }
    std::stable_sort(fitting.begin(), fitting.end(),
        [](const auto& a, const auto& b) { return a.first > b.first; });
    m_list->clear();
    m_listed.clear();
    for (const auto& [score, action] : std::as_const(fitting)) {
        const QString keys = action->shortcut().toString(QKeySequence::NativeText);
        m_list->addItem(keys.isEmpty()
                ? plainText(*action)
                : QString(plainText(*action) + QStringLiteral("   ") + keys));
        m_listed.append(action);
    }
    if (m_list->count() == 0) {
        m_list->addItem(tr("Nothing is called that. Esc leaves."));
        m_list->item(0)->setFlags(Qt::NoItemFlags);
    } else {
        m_list->setCurrentRow(0);
    }
}

void CommandPalette::trigger()
{
    const int row = m_list->currentRow();
    const QPointer<QAction> action =
        row >= 0 && row < m_listed.size() ? m_listed.at(row) : QPointer<QAction>();
    hide();
    if (m_before) {
        m_before->setFocus();
    }
    if (action) {
        action->trigger();
    }
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::FocusOut && isVisible()
        && static_cast<QFocusEvent*>(event)->reason() != Qt::ActiveWindowFocusReason
        && static_cast<QFocusEvent*>(event)->reason() != Qt::PopupFocusReason) {
        hide();
    }
    if (event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const int rows = m_list->count();
        switch (key->key()) {
        case Qt::Key_Down:
            m_list->setCurrentRow(std::min(m_list->currentRow() + 1, rows - 1));
            return true;
        case Qt::Key_Up:
            m_list->setCurrentRow(std::max(m_list->currentRow() - 1, 0));
            return true;
        case Qt::Key_Return:
        case Qt::Key_Enter:
            trigger();
            return true;
        case Qt::Key_Escape:
            hide();
            if (m_before) {
                m_before->setFocus();
            }
            return true;
        default:
            break;
        }
    }
    return QFrame::eventFilter(watched, event);
}

void CommandPalette::paintEvent(QPaintEvent*)
{
    const Colors& c = theme().colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(rect(), c.background);
    painter.setBrush(c.card);
    painter.setPen(QPen(c.accent, 1));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
}

} // namespace sluice::ui

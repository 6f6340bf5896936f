#include "ui/monitor/promqledit.h"

#include <QAbstractItemView>
#include <QCompleter>
#include <QKeyEvent>
#include <QScrollBar>
#include <QStringListModel>

namespace sluice::ui {

namespace {

constexpr int mostOffered = 200;

const QStringList& functions()
{
    static const QStringList names{QStringLiteral("rate"), QStringLiteral("irate"),
        QStringLiteral("increase"), QStringLiteral("sum"), QStringLiteral("avg"),
        QStringLiteral("max"), QStringLiteral("min"), QStringLiteral("count"),
        QStringLiteral("topk"), QStringLiteral("bottomk"), QStringLiteral("quantile"),
        QStringLiteral("histogram_quantile"), QStringLiteral("avg_over_time"),
        QStringLiteral("max_over_time"), QStringLiteral("min_over_time"),
        QStringLiteral("sum_over_time"), QStringLiteral("count_over_time"),
        QStringLiteral("quantile_over_time"), QStringLiteral("delta"), QStringLiteral("deriv"),
        QStringLiteral("changes"), QStringLiteral("resets"), QStringLiteral("absent"),
        QStringLiteral("clamp_min"), QStringLiteral("clamp_max"), QStringLiteral("label_replace"),
        QStringLiteral("time"), QStringLiteral("vector"), QStringLiteral("by"),
        QStringLiteral("without"), QStringLiteral("offset")};
    return names;
}

bool isWord(QChar c)
{
    return c.isLetterOrNumber() || c == u'_' || c == u':';
}

} // namespace

PromQlEdit::PromQlEdit(QWidget* parent)
    : QPlainTextEdit(parent)
    , m_completer(new QCompleter(this))
    , m_offered(new QStringListModel(this))
{
    m_completer->setModel(m_offered);
    m_completer->setWidget(this);
    m_completer->setCompletionMode(QCompleter::UnfilteredPopupCompletion);
    m_completer->popup()->setAccessibleName(tr("Completions"));
    connect(
        m_completer, qOverload<const QString&>(&QCompleter::activated), this, &PromQlEdit::insert);
    setTabChangesFocus(true);
    setAccessibleName(tr("PromQL query"));
    setPlaceholderText(tr("sum by (pool) (rate(sluice_requests_total[1m]))   Ctrl+Space "
                          "completes, Ctrl+Enter runs"));
}

PromQlEdit::Place PromQlEdit::placeIn(const QString& text, qsizetype cursor)
{
    Place place;
    qsizetype start = cursor;
    // Within quotes? Count those before the cursor that are not escaped.
    qsizetype quote = -1;
    qsizetype brace = -1;
    qsizetype grouping = -1;
    for (qsizetype index = 0; index < cursor; ++index) {
        const QChar c = text[index];
        if (c == u'"' && (index == 0 || text[index - 1] != u'\\')) {
            quote = quote < 0 ? index : -1;
        } else if (quote < 0 && c == u'{') {
            brace = index;
        } else if (quote < 0 && c == u'}') {
            brace = -1;
        } else if (quote < 0 && c == u'(') {
            const QString before = text.left(index).trimmed();
            const bool groups = before.endsWith(QLatin1StringView("by"))
                || before.endsWith(QLatin1StringView("without"))
                || before.endsWith(QLatin1StringView("on"))
                || before.endsWith(QLatin1StringView("ignoring"));
            grouping = groups ? index : -1;
        } else if (quote < 0 && c == u')') {
            grouping = -1;
        }
    }
    if (quote >= 0 && brace >= 0) {
        place.kind = Place::Kind::Value;
        place.word = text.mid(quote + 1, cursor - quote - 1);
        qsizetype end = quote;
        while (end > brace && !isWord(text[end - 1])) {
            --end;
        }
        qsizetype begin = end;
        while (begin > brace && isWord(text[begin - 1])) {
            --begin;
        }
        place.label = text.mid(begin, end - begin);
        return place;
    }
    while (start > 0 && isWord(text[start - 1])) {
        --start;
    }
    place.word = text.mid(start, cursor - start);
    place.kind = brace >= 0 || grouping >= 0 ? Place::Kind::Label : Place::Kind::Metric;
    return place;
}

QStringList PromQlEdit::candidates() const
{
    const Place place = placeIn(toPlainText(), textCursor().position());
    const QStringList all = place.kind == Place::Kind::Metric ? m_metrics + functions()
        : place.kind == Place::Kind::Label                    ? m_labels
        : place.label == m_valuesOf                           ? m_values
                                                              : QStringList();
    QStringList begins;
    QStringList holds;
    for (const QString& one : all) {
        if (one.startsWith(place.word, Qt::CaseInsensitive)) {
            begins << one;
        } else if (one.contains(place.word, Qt::CaseInsensitive)) {
            holds << one;
        }
    }
    return (begins + holds).mid(0, mostOffered);
}

void PromQlEdit::setValues(const QString& label, const QStringList& values)
{
    m_valuesOf = label;
    m_values = values;
    if (hasFocus() && placeIn(toPlainText(), textCursor().position()).label == label) {
        offer(true);
    }
}

void PromQlEdit::offer(bool asked)
{
    const Place place = placeIn(toPlainText(), textCursor().position());
    if (place.kind == Place::Kind::Value && place.label != m_valuesOf) {
        Q_EMIT valuesWanted(place.label);
    }
    const QStringList all = candidates();
    const bool whole = all.size() == 1 && all.first() == place.word;
    if (all.isEmpty() || whole || (!asked && place.word.size() < 2)) {
        m_completer->popup()->hide();
        return;
    }
    m_offered->setStringList(all);
    QRect box = cursorRect();
    box.setWidth(m_completer->popup()->sizeHintForColumn(0)
        + m_completer->popup()->verticalScrollBar()->sizeHint().width() + 12);
    m_completer->complete(box);
    m_completer->popup()->setCurrentIndex(m_offered->index(0));
}

void PromQlEdit::insert(const QString& completion)
{
    QTextCursor cursor = textCursor();
    const Place place = placeIn(toPlainText(), cursor.position());
    cursor.movePosition(QTextCursor::Left, QTextCursor::KeepAnchor, int(place.word.size()));
    cursor.insertText(completion);
    setTextCursor(cursor);
}

void PromQlEdit::keyPressEvent(QKeyEvent* event)
{
    const bool control = event->modifiers().testFlag(Qt::ControlModifier);
    if (control && (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)) {
        m_completer->popup()->hide();
        Q_EMIT runRequested();
        return;
    }
    const bool listed = m_completer->popup()->isVisible();
    if (listed) {
        switch (event->key()) {
        case Qt::Key_Return:
        case Qt::Key_Enter:
        case Qt::Key_Tab:
            insert(m_completer->popup()->currentIndex().data().toString());
            m_completer->popup()->hide();
            return;
        case Qt::Key_Escape:
            m_completer->popup()->hide();
            return;
        default:
            break;
        }
    }
    if (control && event->key() == Qt::Key_Space) {
        offer(true);
        return;
    }
    QPlainTextEdit::keyPressEvent(event);
    if (!event->text().isEmpty() && !control) {
        offer(false);
    }
}

} // namespace sluice::ui

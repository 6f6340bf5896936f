#include "ui/classify/entitytext.h"

#include "ui/shell/theme.h"

#include <QFontMetrics>
#include <QPainter>
#include <algorithm>

namespace sluice::ui {

namespace {

constexpr int margin = 12;
constexpr int markPadding = 5;

QFont textFont()
{
    return theme().font(FontRole::Title);
}

} // namespace

EntityText::EntityText(QWidget* parent)
    : QWidget(parent)
{
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    setAccessibleName(tr("Query with its entities"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void EntityText::setText(const QString& text, const QList<Mark>& marks)
{
    m_text = text;
    m_marks = marks;
    QStringList words{text};
    for (const Mark& mark : marks) {
        words << mark.type % QLatin1StringView(" = ") % mark.value;
    }
    setAccessibleDescription(words.join(QStringLiteral("; ")));
    updateGeometry();
    update();
}

QList<EntityText::Piece> EntityText::layOut(int width, int* height) const
{
    const QFontMetrics metrics(textFont());
    const QFontMetrics small(theme().font(FontRole::Small));
    const int line = metrics.height() + (m_marks.isEmpty() ? 6 : small.height() + 8);
    QList<Piece> pieces;
    int x = margin;
    int y = margin;
    const auto place = [&](const QString& text, int mark, int wide) {
        if (x + wide > width - margin && x > margin) {
            x = margin;
            y += line;
        }
        pieces << Piece{QRect(x, y, wide, metrics.height()), text, mark};
        x += wide;
    };
    qsizetype at = 0;
    const auto plain = [&](qsizetype end) {
        // Word by word, each with its blank, so that lines break between words.
        while (at < end) {
            qsizetype stop = m_text.indexOf(u' ', at);
            stop = stop < 0 || stop >= end ? end : stop + 1;
            const QString word = m_text.mid(at, stop - at);
            place(word, -1, metrics.horizontalAdvance(word));
            at = stop;
        }
    };
    for (int index = 0; index < m_marks.size(); ++index) {
        const Mark& mark = m_marks[index];
        if (mark.begin < at || mark.end > m_text.size()) {
            continue;
        }
        plain(mark.begin);
        const QString text = m_text.mid(mark.begin, mark.end - mark.begin);
        const int label =
            small.horizontalAdvance(mark.type % QLatin1StringView(" = ") % mark.value);
        place(text, index,
            std::max(metrics.horizontalAdvance(text), std::min(label, width / 2))
                + 2 * markPadding);
        at = mark.end;
    }
    plain(m_text.size());
    *height = y + line + margin - 4;
    return pieces;
}

int EntityText::heightForWidth(int width) const
{
    int height = 0;
    layOut(width, &height);
    return height;
}

void EntityText::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Colors& colors = theme().colors();
    painter.setPen(Qt::NoPen);
    painter.setBrush(colors.raised);
    painter.drawRoundedRect(rect(), 6, 6);
    int height = 0;
    const QList<Piece> pieces = layOut(width(), &height);
    const QFontMetrics small(theme().font(FontRole::Small));
    for (const Piece& piece : pieces) {
        QRect text = piece.box;
        if (piece.mark >= 0) {
            const Mark& mark = m_marks[piece.mark];
            painter.setPen(Qt::NoPen);
            painter.setBrush(withAlpha(colors.third, 0.3));
            painter.drawRoundedRect(QRectF(piece.box).adjusted(0, -2, 0, small.height() + 2), 4, 4);
            painter.setFont(theme().font(FontRole::Small));
            painter.setPen(colors.muted);
            painter.drawText(QRect(piece.box.left() + markPadding, piece.box.bottom(),
                                 piece.box.width() - 2 * markPadding, small.height()),
                Qt::AlignLeft | Qt::AlignVCenter,
                small.elidedText(mark.type % QLatin1StringView(" = ") % mark.value, Qt::ElideRight,
                    piece.box.width() - markPadding));
            text.adjust(markPadding, 0, 0, 0);
        }
        painter.setFont(textFont());
        painter.setPen(colors.text);
        painter.drawText(text, Qt::AlignLeft | Qt::AlignVCenter, piece.text);
    }
}

} // namespace sluice::ui

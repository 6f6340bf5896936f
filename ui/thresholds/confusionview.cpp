#include "ui/thresholds/confusionview.h"

#include "ui/shell/button.h"
#include "ui/shell/format.h"
#include "ui/shell/plaintable.h"
#include "ui/shell/text.h"
#include "ui/shell/theme.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace sluice::ui {

namespace {

constexpr double nameWidth = 108;
constexpr std::size_t mostListed = 500;

void add(QTableWidget* table, int row, int column, const QString& text, bool number = false)
{
    auto* item = new QTableWidgetItem(text);
    item->setToolTip(text);
    item->setTextAlignment((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    table->setItem(row, column, item);
}

} // namespace

ConfusionMatrix::ConfusionMatrix(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Confusion matrix"));
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ConfusionMatrix::setConfusion(
    const ops::Confusion& confusion, const std::vector<std::string>& labels)
{
    m_confusion = confusion;
    m_labels = labels;
    update();
}

QString ConfusionMatrix::rowName(std::size_t row) const
{
    return row < m_labels.size() ? QString::fromStdString(m_labels[row]) : tr("out of scope");
}

QString ConfusionMatrix::columnName(std::size_t column) const
{
    return column < m_labels.size()       ? QString::fromStdString(m_labels[column])
        : column == m_confusion.clarify() ? tr("clarify")
                                          : tr("fallback");
}

QRectF ConfusionMatrix::area() const
{
    return QRectF(nameWidth, 20, width() - nameWidth - 4, height() - 20 - 18);
}

QRectF ConfusionMatrix::cell(int row, int column) const
{
    const QRectF plot = area();
    const double w = plot.width() / double(m_confusion.columnCount());
    const double h = plot.height() / double(m_confusion.rowCount());
    return QRectF(plot.left() + column * w, plot.top() + row * h, w, h);
}

QString ConfusionMatrix::readOut() const
{
    return tr("%1 answered as %2: %3")
        .arg(rowName(std::size_t(m_row)), columnName(std::size_t(m_column)),
            format::count(m_confusion.at(std::size_t(m_row), std::size_t(m_column))));
}

void ConfusionMatrix::paintEvent(QPaintEvent*)
{
    if (m_confusion.counts.empty()) {
        return;
    }
    QPainter painter(this);
    painter.setFont(theme().font(FontRole::Small));
    const Colors& colors = theme().colors();
    const std::uint32_t most =
        std::max(1U, *std::max_element(m_confusion.counts.begin(), m_confusion.counts.end()));
    const int rows = int(m_confusion.rowCount());
    const int columns = int(m_confusion.columnCount());
    const bool airy = area().width() / columns > 6;
    for (int row = 0; row < rows; ++row) {
        for (int column = 0; column < columns; ++column) {
            const std::uint32_t count = m_confusion.at(std::size_t(row), std::size_t(column));
            QRectF box = cell(row, column);
            box = airy ? box.adjusted(0.5, 0.5, -0.5, -0.5) : box;
            const bool right = row == column || (row == rows - 1 && column == columns - 1);
            const bool held = column >= int(m_confusion.clarify());
            const QColor color = right ? colors.accent : held ? colors.third : colors.bad;
            // Square roots, so that few errors stay visible beside many right answers.
            painter.fillRect(box,
                count == 0 ? colors.raised
                           : withAlpha(color, 0.25 + 0.75 * std::sqrt(double(count) / most)));
            if (count > 0 && box.width() > 22 && box.height() > 12) {
                painter.setPen(colors.text);
                painter.drawText(box, Qt::AlignCenter, QString::number(count));
            }
        }
    }
    const double rowHeight = area().height() / rows;
    const int step = std::max(1, int(std::ceil(13 / rowHeight)));
    painter.setPen(colors.muted);
    for (int row = 0; row < rows; row += step) {
        const QRectF box(0, cell(row, 0).center().y() - 8, nameWidth - 6, 16);
        painter.drawText(box, Qt::AlignRight | Qt::AlignVCenter,
            painter.fontMetrics().elidedText(
                rowName(std::size_t(row)), Qt::ElideRight, int(box.width())));
    }
    painter.setPen(colors.faint);
    painter.drawText(QRectF(0, height() - 16, nameWidth + area().width(), 14), Qt::AlignRight,
        tr("answered as, in the same order; then clarify, then fallback"));
    painter.setPen(colors.text);
    if (m_row >= 0) {
        painter.drawText(QRectF(0, 2, width() - 4, 14), Qt::AlignRight, readOut());
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(hasFocus() ? colors.accent : colors.text, 1.5));
        painter.drawRect(cell(m_row, m_column));
    } else {
        painter.setPen(colors.faint);
        painter.drawText(QRectF(0, 2, width() - 4, 14), Qt::AlignRight,
            tr("blue right · red wrong · yellow held back"));
    }
}

void ConfusionMatrix::point(const QPointF& place)
{
    const QRectF plot = area();
    if (m_confusion.counts.empty() || !plot.contains(place)) {
        m_row = -1;
        m_column = -1;
    } else {
        m_column = std::min(
            int((place.x() - plot.left()) / plot.width() * double(m_confusion.columnCount())),
            int(m_confusion.columnCount()) - 1);
        m_row =
            std::min(int((place.y() - plot.top()) / plot.height() * double(m_confusion.rowCount())),
                int(m_confusion.rowCount()) - 1);
    }
    update();
}

void ConfusionMatrix::mouseMoveEvent(QMouseEvent* event)
{
    point(event->position());
}

void ConfusionMatrix::mousePressEvent(QMouseEvent* event)
{
    point(event->position());
    if (m_row >= 0 && event->button() == Qt::LeftButton) {
        Q_EMIT opened(m_row, m_column);
    }
}

void ConfusionMatrix::leaveEvent(QEvent*)
{
    m_row = -1;
    m_column = -1;
    update();
}

void ConfusionMatrix::keyPressEvent(QKeyEvent* event)
{
    const int right = event->key() == Qt::Key_Right ? 1 : event->key() == Qt::Key_Left ? -1 : 0;
    const int down = event->key() == Qt::Key_Down ? 1 : event->key() == Qt::Key_Up ? -1 : 0;
    if (m_confusion.counts.empty()) {
        QWidget::keyPressEvent(event);
    } else if (event->key() == Qt::Key_Return && m_row >= 0) {
        Q_EMIT opened(m_row, m_column);
    } else if (right != 0 || down != 0) {
        m_row = std::clamp(m_row + down, 0, int(m_confusion.rowCount()) - 1);
        m_column = std::clamp(m_column + right, 0, int(m_confusion.columnCount()) - 1);
        setAccessibleDescription(readOut());
        update();
    } else {
        QWidget::keyPressEvent(event);
    }
}

ConfusionView::ConfusionView(TuningSession* session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_matrix(new ConfusionMatrix(this))
    , m_title(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_list(new QTableWidget(0, 3, this))
{
    plainTable(m_list, tr("Queries behind a cell"));
    m_list->horizontalHeader()->setMinimumSectionSize(62);
    m_list->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_title->setElided(true);
    auto* back = new Button(tr("Most mixed up"), ButtonRole::Flat, this);
    back->setToolTip(tr("Lists the pairs that are mixed up most"));
    connect(back, &Button::clicked, this, &ConfusionView::showPairs);
    auto* head = new QHBoxLayout;
    head->addWidget(m_title, 1);
    head->addWidget(back);
    auto* side = new QVBoxLayout;
    side->setSpacing(4);
    side->addLayout(head);
    side->addWidget(m_list, 1);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(m_matrix, 1);
    layout->addLayout(side, 1);
    connect(m_matrix, &ConfusionMatrix::opened, this, &ConfusionView::open);
    connect(m_list, &QTableWidget::cellActivated, this, [this](int row) { activate(row); });
    connect(session, &TuningSession::chartsChanged, this, &ConfusionView::refresh);
    connect(session, &TuningSession::dataChanged, this, [this] { m_openRow = -1; });
}

void ConfusionView::refresh()
{
    m_matrix->setConfusion(m_session->charts().confusion, m_session->classifier().model().labels());
    if (m_openRow >= 0 && m_openColumn >= 0) {
        open(m_openRow, m_openColumn);
    } else if (m_openRow >= 0) {
        openIntent(m_openRow);
    } else {
        showPairs();
    }
}

void ConfusionView::showPairs()
{
    m_openRow = -1;
    m_openColumn = -1;
    const ops::Confusion& matrix = m_session->charts().confusion;
    m_pairs.clear();
    for (std::size_t row = 0; row < matrix.rowCount(); ++row) {
        for (std::size_t column = 0; column < matrix.labels; ++column) {
            if (row != column && matrix.at(row, column) > 0) {
                m_pairs.emplace_back(int(row), int(column));
            }
        }
    }
    const auto count = [&](const std::pair<int, int>& pair) {
        return matrix.at(std::size_t(pair.first), std::size_t(pair.second));
    };
    std::stable_sort(m_pairs.begin(), m_pairs.end(),
        [&](const auto& a, const auto& b) { return count(a) > count(b); });
    m_pairs.resize(std::min<std::size_t>(m_pairs.size(), 100));
    m_title->setText(m_pairs.empty() ? tr("Nothing wrong is accepted")
                                     : tr("Accepted wrong, most frequent first · Enter opens"));
    m_list->setColumnCount(3);
    m_list->setHorizontalHeaderLabels({tr("asked"), tr("answered as"), tr("queries")});
    m_list->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    m_list->setRowCount(int(m_pairs.size()));
    for (int row = 0; row < int(m_pairs.size()); ++row) {
        const auto& pair = m_pairs[std::size_t(row)];
        add(m_list, row, 0, m_matrix->rowName(std::size_t(pair.first)));
        add(m_list, row, 1, m_matrix->columnName(std::size_t(pair.second)));
        add(m_list, row, 2, format::count(count(pair)), true);
    }
}

void ConfusionView::activate(int row)
{
    if (!m_pairs.empty() && std::size_t(row) < m_pairs.size()) {
        open(m_pairs[std::size_t(row)].first, m_pairs[std::size_t(row)].second);
    }
}

void ConfusionView::open(int row, int column)
{
    m_openRow = row;
    m_openColumn = column;
    showRows(m_session->charts().confusion.behind(std::size_t(row), std::size_t(column)),
        tr("%1 answered as %2")
            .arg(m_matrix->rowName(std::size_t(row)), m_matrix->columnName(std::size_t(column))));
}

void ConfusionView::openIntent(int label)
{
    m_openRow = label;
    m_openColumn = -1;
    const ops::Confusion& matrix = m_session->charts().confusion;
    std::vector<std::uint32_t> rows;
    for (std::size_t column = 0; column < matrix.columnCount(); ++column) {
        if (column != std::size_t(label)) {
            const auto some = matrix.behind(std::size_t(label), column);
            rows.insert(rows.end(), some.begin(), some.end());
        }
    }
    showRows(rows, tr("%1 not accepted as it").arg(m_matrix->rowName(std::size_t(label))));
}

void ConfusionView::showRows(const std::vector<std::uint32_t>& rows, const QString& title)
{
    m_pairs.clear();
    const std::size_t shown = std::min(rows.size(), mostListed);
    m_title->setText(shown < rows.size()
            ? tr("%1: %2 queries, the first %3").arg(title).arg(rows.size()).arg(shown)
            : tr("%1: %2 queries").arg(title).arg(rows.size()));
    m_list->setHorizontalHeaderLabels({tr("query"), tr("first candidate"), tr("confidence")});
    m_list->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_list->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_list->setRowCount(int(shown));
    const ops::TuningData& tuning = m_session->data();
    const auto& labels = m_session->classifier().model().labels();
    for (int row = 0; row < int(shown); ++row) {
        const ScoredRow& scored = tuning.rows[rows[std::size_t(row)]];
        const LabelledQuery& query = tuning.queries[scored.query];
        add(m_list, row, 0, QString::fromStdString(query.text));
        if (query.line > 0) {
            m_list->item(row, 0)->setToolTip(
                tr("line %1: %2").arg(query.line).arg(QString::fromStdString(query.text)));
        }
        const bool known = scored.candidates > 0;
        add(m_list, row, 1,
            known ? QString::fromStdString(labels[std::size_t(scored.top[0].label)])
                  : format::missing());
        add(m_list, row, 2, known ? format::fixed(scored.top[0].confidence, 3) : format::missing(),
            true);
    }
}

} // namespace sluice::ui

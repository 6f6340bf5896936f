#include "ui/thresholds/settingstable.h"

#include "ui/shell/theme.h"
#include "ui/thresholds/settingsmodel.h"

#include <QDoubleSpinBox>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QStyledItemDelegate>
#include <algorithm>

namespace sluice::ui {

namespace {

constexpr int barPadding = 10;

/// Draws the slider, and edits a value in a spin box.
class SettingsDelegate : public QStyledItemDelegate
{
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
        const QModelIndex& index) const override
    {
        QStyledItemDelegate::paint(painter, option, index);
        if (index.column() != SettingsModel::Bar) {
            return;
        }
        const double low = index.data(SettingsModel::LowRole).toDouble();
        const double high = index.data(SettingsModel::HighRole).toDouble();
        const QRectF track(option.rect.left() + barPadding, option.rect.center().y() - 2.0,
            option.rect.width() - 2 * barPadding, 5);
        const auto place = [&](SettingsModel::Role role) {
            const double share = (index.data(role).toDouble() - low) / (high - low);
            return track.left() + std::clamp(share, 0.0, 1.0) * track.width();
        };
        const Colors& colors = theme().colors();
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(Qt::NoPen);
        painter->setBrush(colors.line);
        painter->drawRoundedRect(track, 2.5, 2.5);
        // From where nothing is added, which is the middle for what may be below 0.
        const double zero = track.left() + (low < 0 ? -low / (high - low) : 0.0) * track.width();
        const double value = place(SettingsModel::ValueRole);
        painter->setBrush(
            index.data(SettingsModel::OwnRole).toBool() ? colors.accent : colors.faint);
        painter->drawRoundedRect(QRectF(QPointF(std::min(zero, value), track.top()),
                                     QPointF(std::max(zero, value), track.bottom())),
            2.5, 2.5);
        painter->drawEllipse(QPointF(value, track.center().y()), 4, 4);
        const double live = place(SettingsModel::LiveRole);
        painter->setPen(QPen(colors.muted, 1));
        painter->drawLine(QPointF(live, track.top() - 4), QPointF(live, track.bottom() + 4));
        painter->restore();
    }

    QWidget* createEditor(
        QWidget* parent, const QStyleOptionViewItem&, const QModelIndex& index) const override
    {
        auto* spin = new QDoubleSpinBox(parent);
        spin->setRange(index.data(SettingsModel::LowRole).toDouble(),
            index.data(SettingsModel::HighRole).toDouble());
        const bool whole = index.data(SettingsModel::HighRole).toDouble() > 1;
        spin->setDecimals(whole ? 0 : 3);
        spin->setSingleStep(whole ? 1 : 0.01);
        spin->setButtonSymbols(QAbstractSpinBox::NoButtons);
        spin->setAlignment(Qt::AlignRight);
        spin->setAccessibleName(index.siblingAtColumn(SettingsModel::Name).data().toString());
        return spin;
    }

    /// Return takes the value at once. Qt's own delegate does it later, by the event loop, with a
    /// bare pointer to an editor that may be gone by then: the focus moved, the rows were built
    /// anew.
    bool eventFilter(QObject* object, QEvent* event) override
    {
        auto* spin = qobject_cast<QDoubleSpinBox*>(object);
        if (spin != nullptr && event->type() == QEvent::KeyPress) {
            const int key = static_cast<QKeyEvent*>(event)->key();
            if (key == Qt::Key_Return || key == Qt::Key_Enter) {
                spin->interpretText();
                Q_EMIT commitData(spin);
                Q_EMIT closeEditor(spin, NoHint);
                return true;
            }
        }
        return QStyledItemDelegate::eventFilter(object, event);
    }
};

} // namespace

SettingsTable::SettingsTable(SettingsModel* model, QWidget* parent)
    : QTableView(parent)
    , m_model(model)
    , m_proxy(new SettingsProxy(this))
{
    m_proxy->setSourceModel(model);
    m_proxy->setSortRole(SettingsModel::SortRole);
    m_proxy->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_proxy->setFilterKeyColumn(SettingsModel::Name);
    setModel(m_proxy);
    setItemDelegate(new SettingsDelegate(this));
    setSortingEnabled(true);
    sortByColumn(SettingsModel::Name, Qt::AscendingOrder);
    setAccessibleName(tr("Settings and intents"));
    setShowGrid(false);
    setFrameShape(QFrame::NoFrame);
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setSelectionMode(QAbstractItemView::SingleSelection);
    setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed);
    setTabKeyNavigation(false);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(25);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    connect(this, &QTableView::doubleClicked, this, [this](const QModelIndex& index) {
        const SettingsModel::Row& row = m_model->row(m_proxy->mapToSource(index).row());
        if (index.column() != SettingsModel::Value && row.kind == SettingsModel::Kind::Intent) {
            Q_EMIT intentOpened(row.index);
        } else if (index.column() != SettingsModel::Value
            && row.kind == SettingsModel::Kind::Rule) {
            Q_EMIT ruleOpened(row.index);
        }
    });
}

void SettingsTable::resizeEvent(QResizeEvent* event)
{
    QTableView::resizeEvent(event);
    // Numbers keep their width; name and slider share what is left.
    constexpr int widths[SettingsModel::ColumnCount] = {0, 58, 56, 0, 84, 80, 84, 48, 104};
    int left = viewport()->width();
    for (const int width : widths) {
        left -= width;
    }
    for (int column = 0; column < SettingsModel::ColumnCount; ++column) {
        const int width = widths[column] > 0 ? widths[column]
            : column == SettingsModel::Name  ? std::max(120, left * 6 / 10)
                                             : std::max(60, left - left * 6 / 10);
        setColumnWidth(column, width);
    }
}

bool SettingsTable::isBar(const QModelIndex& index) const
{
    return index.isValid() && index.column() == SettingsModel::Bar;
}

void SettingsTable::drag(const QPoint& place)
{
    const QRect box = visualRect(m_dragged).adjusted(barPadding, 0, -barPadding, 0);
    const double share =
        std::clamp(double(place.x() - box.left()) / std::max(1, box.width()), 0.0, 1.0);
    const double low = m_dragged.data(SettingsModel::LowRole).toDouble();
    const double high = m_dragged.data(SettingsModel::HighRole).toDouble();
    m_model->setValue(m_proxy->mapToSource(m_dragged).row(), low + share * (high - low), true);
}

void SettingsTable::mousePressEvent(QMouseEvent* event)
{
    const QModelIndex index = indexAt(event->position().toPoint());
    QTableView::mousePressEvent(event);
    if (event->button() == Qt::LeftButton && isBar(index)) {
        m_dragged = index;
        drag(event->position().toPoint());
    }
}

void SettingsTable::mouseMoveEvent(QMouseEvent* event)
{
    if (m_dragged.isValid() && (event->buttons() & Qt::LeftButton) != 0) {
        drag(event->position().toPoint());
        return;
    }
    QTableView::mouseMoveEvent(event);
}

void SettingsTable::mouseReleaseEvent(QMouseEvent* event)
{
    m_dragged = {};
    QTableView::mouseReleaseEvent(event);
}

int SettingsTable::sourceRow() const
{
    return currentIndex().isValid() ? m_proxy->mapToSource(currentIndex()).row() : -1;
}

void SettingsTable::keyPressEvent(QKeyEvent* event)
{
    const int row = sourceRow();
    if (row < 0) {
        QTableView::keyPressEvent(event);
        return;
    }
    const QModelIndex value = m_model->index(row, SettingsModel::Value);
    const bool whole = value.data(SettingsModel::HighRole).toDouble() > 1;
    switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Minus:
        m_model->setValue(row,
            value.data(SettingsModel::ValueRole).toDouble()
                + (event->key() == Qt::Key_Plus ? 1 : -1) * (whole ? 1 : 0.01),
            true);
        return;
    case Qt::Key_Delete:
        m_model->clearValue(row);
        return;
    case Qt::Key_S:
        m_model->toggleSensitive(row);
        return;
    case Qt::Key_Return:
        if (m_model->row(row).kind == SettingsModel::Kind::Intent) {
            Q_EMIT intentOpened(m_model->row(row).index);
            return;
        }
        if (m_model->row(row).kind == SettingsModel::Kind::Rule) {
            Q_EMIT ruleOpened(m_model->row(row).index);
            return;
        }
        break;
    default:
        break;
    }
    QTableView::keyPressEvent(event);
}

} // namespace sluice::ui

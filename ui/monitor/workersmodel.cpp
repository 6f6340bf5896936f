#include "ui/monitor/workersmodel.h"

#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <algorithm>

namespace sluice::ui {

namespace {

std::optional<double> known(double value)
{
    return value < 0 ? std::nullopt : std::optional(value);
}

} // namespace

WorkersModel::WorkersModel(QObject* parent)
    : QAbstractTableModel(parent)
{ }

void WorkersModel::setWorkers(QList<Worker> workers)
{
    std::sort(workers.begin(), workers.end(), [](const Worker& a, const Worker& b) {
        return a.pool != b.pool ? a.pool < b.pool : a.instance < b.instance;
    });
    if (workers.size() != m_workers.size()) {
        beginResetModel();
        m_workers = std::move(workers);
        endResetModel();
    } else if (workers != m_workers) {
        m_workers = std::move(workers);
        Q_EMIT dataChanged(index(0, 0), index(int(m_workers.size()) - 1, ColumnCount - 1));
    }
}

int WorkersModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : int(m_workers.size());
}

int WorkersModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant WorkersModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= m_workers.size()) {
        return {};
    }
    const Worker& worker = m_workers[index.row()];
    if (role == Qt::TextAlignmentRole) {
        return int((index.column() <= Pool ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    if (role == Qt::ForegroundRole && index.column() == Instance) {
        return theme().color(worker.up ? Tone::Ok : Tone::Bad);
    }
    if (role == Qt::ToolTipRole) {
        return worker.up ? tr("answers Prometheus") : tr("does not answer Prometheus");
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    switch (index.column()) {
    case Instance:
        return QString(Theme::glyph(worker.up ? Tone::Ok : Tone::Bad) % u' ' % worker.instance);
    case Pool:
        return worker.pool;
    case Version:
        return worker.version;
    case Set:
        return worker.set < 0 ? format::missing() : format::count(worker.set);
    case Rate:
        return format::value(known(worker.rate), Unit::None);
    case P95:
        return format::value(known(worker.p95), Unit::Seconds);
    case Memory:
        return format::value(known(worker.memory), Unit::Bytes);
    case Errors:
        return format::value(known(worker.errors), Unit::Share);
    case Cpu:
        return format::value(known(worker.cpu), Unit::Share);
    case InFlight:
        return format::value(known(worker.inFlight), Unit::Count);
    case Connections:
        return format::value(known(worker.connections), Unit::Count);
    default:
        return {};
    }
}

QVariant WorkersModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return int((section <= Pool ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    const QString names[] = {tr("worker"), tr("pool"), tr("version"), tr("set"), tr("req/s"),
        tr("p95"), tr("RSS"), tr("errors"), tr("CPU"), tr("in flight"), tr("connections")};
    return names[section];
}

} // namespace sluice::ui

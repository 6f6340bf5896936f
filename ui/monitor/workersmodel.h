#pragma once

#include <QAbstractTableModel>
#include <QHash>
#include <QList>
#include <QString>

namespace sluice::ui {

/// The workers as Prometheus sees them; a row an instance.
class WorkersModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column
    {
        Instance,
        Pool,
        Version,
        Set,
        Rate,
        P95,
        Memory,
        Errors,
        Cpu,
        InFlight,
        Connections,
        ColumnCount
    };

    struct Worker
    {
        QString instance;
        QString pool;
        QString version;
        bool up = false;
        double set = -1;
        double rate = -1; ///< requests a second; below 0: unknown, as in the others
        double p95 = -1; ///< seconds
        double memory = -1; ///< bytes
        double errors = -1; ///< share of its answers
        double cpu = -1; ///< 1 = a core busy
        double inFlight = -1;
        double connections = -1;

        bool operator==(const Worker&) const = default;
    };

    explicit WorkersModel(QObject* parent = nullptr);
    void setWorkers(QList<Worker> workers); ///< sorted by pool and instance here
    const QList<Worker>& workers() const { return m_workers; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QList<Worker> m_workers;
};

} // namespace sluice::ui

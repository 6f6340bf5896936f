#pragma once

#include "engine/operations/monitoring/dashboard.h"

namespace sluice::ops {

/// The pages a person keeps: a folder of files in Grafana's format, named by their title.
class DashboardStore
{
public:
    explicit DashboardStore(QString folder);

    /// By title; files that cannot be read are left out and said in `problems`.
    QList<Dashboard> load(QStringList* problems = nullptr) const;
    Result<void> save(const Dashboard& dashboard) const;
    Result<void> remove(const QString& title) const;

private:
    QString fileOf(const QString& title) const;

    QString m_folder;
};

} // namespace sluice::ops

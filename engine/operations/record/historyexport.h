#pragma once

#include "engine/operations/record/history.h"

namespace sluice::ops {

/// RFC 4180, with a header: id, at, actor, environment, kind, subject, outcome, details (JSON).
/// Texts that a spreadsheet would take for a formula begin with an apostrophe.
QByteArray toCsv(const QList<HistoryEntry>& entries);
/// An array of objects with the members of HistoryEntry; `at` is RFC 3339, UTC.
QByteArray toJson(const QList<HistoryEntry>& entries);

/// A member of which two entries say different things; nested details by their path
/// ("thresholds.per_intent.refund").
struct HistoryDifference
{
    QString name;
    QString before; ///< null: only the other one has it
    QString after;
};
/// What is different in `after`, by name; `at` and `id` are no difference.
QList<HistoryDifference> difference(const HistoryEntry& before, const HistoryEntry& after);

/// All that an entry says, by path, as text.
QMap<QString, QString> flattened(const QJsonObject& details);

} // namespace sluice::ops

#pragma once

#include <QJsonObject>
#include <QList>
#include <QString>
#include <limits>
#include <optional>

namespace sluice::ops {

/// What a gate says. Only Pass is good news: no data, a source that is down and too little
/// evidence are three different reasons to wait, and a cancelled measurement is never a success.
enum class GateVerdict
{
    Pass,
    Fail,
    Inconclusive, ///< measured, and not enough to say
    NoData, ///< the source answers, and has nothing (empty, NaN, stale)
    SourceDown, ///< nobody answers
    Cancelled
};

/// What follows from a gate that fails. A gate that does not pass for another reason (no data ...)
/// at worst holds: monitoring that blinks rolls nothing back.
enum class GateAction
{
    Rollback,
    Hold, ///< no step forward until it passes or a person decides
    Warn, ///< said, and no more
    Record
};

/// "PASS", "FAIL", "INCONCLUSIVE", "NO_DATA", "SOURCE_DOWN", "CANCELLED".
QString verdictName(GateVerdict verdict);
std::optional<GateVerdict> verdictFromName(const QString& name);
/// "rollback", "hold", "warn", "record".
QString actionName(GateAction action);
std::optional<GateAction> actionFromName(const QString& name);

/// One gate, looked at once.
struct GateReading
{
    QString gate; ///< its name in the plan
    GateAction action = GateAction::Record;
    GateVerdict verdict = GateVerdict::NoData;
    double value = std::numeric_limits<double>::quiet_NaN(); ///< in `unit`
    double limit = std::numeric_limits<double>::quiet_NaN();
    QString unit; ///< "", "%", "x", "ms", "/s"
    QString query; ///< as it was sent, or where the numbers came from
    QString reason; ///< one sentence for a person
    double evidence = std::numeric_limits<double>::quiet_NaN(); ///< e-value, where there is a test
    double evidenceLimit = std::numeric_limits<double>::quiet_NaN(); ///< 1 / alpha
    QJsonObject counts; ///< raw counts it was made of, so that a journal can be replayed
    qint64 atMs = 0; ///< ms since 1970

    /// A reading that fails and whose gate rolls back.
    bool rollsBack() const
    {
        return verdict == GateVerdict::Fail && action == GateAction::Rollback;
    }
    /// A gate that has to pass before a stage is left, and does not.
    bool holds() const
    {
        return verdict != GateVerdict::Pass
            && (action == GateAction::Rollback || action == GateAction::Hold);
    }
    /// Nothing was seen: the soak's clock stands still.
    bool isBlind() const
    {
        return verdict == GateVerdict::NoData || verdict == GateVerdict::SourceDown
            || verdict == GateVerdict::Cancelled;
    }

    QJsonObject toJson() const;
    static GateReading fromJson(const QJsonObject& object);
};

} // namespace sluice::ops

#pragma once

#include "engine/base/result.h"
#include "engine/operations/rollout/abcomparison.h"
#include "engine/operations/rollout/rolloutstate.h"

#include <QJsonObject>
#include <QList>
#include <QString>

namespace sluice::ui {

/// A rollout as a document to keep: what was released, what each gate said last, who did what when.
class RolloutReport
{
public:
    /// `compared`: new against old, where it is known. HTML for a browser and for QTextDocument;
    /// nothing in it is loaded from elsewhere.
    static QString html(const ops::PublishedRollout& rollout, const QList<QJsonObject>& events,
        const QString& environment, const std::optional<ops::AbComparison>& compared = {});
    /// As PDF where the name ends so, else as HTML. Errors: Internal, with the file's name.
    static Result<void> save(const ops::PublishedRollout& rollout, const QList<QJsonObject>& events,
        const QString& environment, const QString& file,
        const std::optional<ops::AbComparison>& compared = {});
};

} // namespace sluice::ui

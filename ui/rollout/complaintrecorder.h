#pragma once

#include "engine/operations/queries/feedbackinbox.h"
#include "ui/shell/theme.h"

#include <QObject>

namespace sluice::ui {

class ComplaintDialog;
class Console;

/// Records complaints by hand during a rollout, where its gate counts them: in the feedback stream,
/// under the pool that served the session or that is chosen.
class ComplaintRecorder : public QObject
{
    Q_OBJECT

public:
    explicit ComplaintRecorder(Console* console, QObject* parent = nullptr);

    /// Asks what it is about.
    ComplaintDialog* ask(const QString& canary, const QString& stable, QWidget* parent);

Q_SIGNALS:
    /// How it ended, for a banner.
    void recorded(sluice::ui::Tone tone, const QString& text);

private:
    void record(const ops::FeedbackItem& item);
    void findPool(const ops::FeedbackItem& item);

    Console* m_console;
    ops::FeedbackInbox* m_inbox;
};

} // namespace sluice::ui

#include "ui/shell/tour.h"

#include <QCoreApplication>

namespace sluice::ui {

namespace {

using Until = TourStep::Until;

QString tr(const char* text)
{
    return QCoreApplication::translate("Tours", text);
}

TourStep stackStep(const QString& control)
{
    return {
        tr("Start the local stack: Redis, Prometheus, HAProxy and four workers, on this machine "
           "only. It takes a few seconds."),
        {}, control, Until::Connected, {}, {}};
}

TourPlan adminTour()
{
    const QString thresholds = QStringLiteral("thresholds");
    return {tr("Admin"), tr("Admin's tour: a threshold with a guarantee, published and taken back"),
        {stackStep(tr("Start the local stack")),
            {tr("Load labelled queries that the model was not trained on: the bundled ones do. The "
                "charts then show, for every threshold, how much is answered and how much of that "
                "is wrong."),
                thresholds, tr("Use the bundled data"), Until::Usable, tr("Certify"), {}},
            {tr("Certify looks for the loosest threshold of which it can be said, how surely "
                "stands "
                "beside it: of what is accepted at most 5 % is wrong. Where rows don't suffice, it "
                "says how many are missing; the bundled ones do."),
                thresholds, tr("Certify"), Until::Usable, tr("Use"), {}},
            {tr("Below it stands what was certified, on how many rows. Take it into the draft."),
                thresholds, tr("Use"), Until::Pressed, {}, {}},
            {tr("Say why in the comment, then publish the draft to the blue pool. The question "
                "before it shows what changes; the workers arrive within a second."),
                thresholds, tr("Publish to %1…"), Until::Recorded, QStringLiteral("publish"), {}},
            {tr("Every set stays in the list, and one click goes back: do it."), thresholds,
                tr("Undo last publish"), Until::Recorded, QStringLiteral("publish"), {}},
            {tr("Done, for real: the blue pool served your set, and serves again what it served "
                "before. Here stands both, with who and when."),
                QStringLiteral("history"), {}, Until::Read, {}, {}}}};
}

TourPlan testerTour()
{
    const QString classify = QStringLiteral("classify");
    return {tr("Tester"), tr("Tester's tour: try a query, keep it as a test case, run the suite"),
        {{tr("Ask what a customer would ask: \"where is my parcel A-2231?\", then Enter. No server "
             "is needed: the engine in this console answers."),
             classify, tr("Query"), Until::Sent, {}, tr("Try a query")},
            {tr("Go on with a follow-up: \"and B-10498?\" It means what was asked before; the "
                "context at the right says what is remembered."),
                classify, tr("Query"), Until::Sent, {}, {}},
            {tr("The answer is right? Then it should stay so: Ctrl+T saves it, with what was said "
                "before, as a test case."),
                classify, {}, Until::Acted, tr("Save as test case"), {}},
            {tr("Here is the suite, a file that a team can share. Run it."), classify,
                tr("Run the suite"), Until::Recorded, QStringLiteral("evaluate"),
                tr("Run test cases")},
            {tr("Done, for real: the run is recorded. \"sluicectl evaluate --suite\" runs the same "
                "file, here or against any worker, and says what newly fails."),
                QStringLiteral("history"), {}, Until::Read, {}, {}}}};
}

TourPlan leadTour()
{
    const QString rollout = QStringLiteral("rollout");
    return {tr("Release lead"),
        tr("Release lead's tour: load, shift a share of the traffic, roll back"),
        {stackStep(tr("Start the demo")),
            {tr("First see that the service bears load. Choose a short run, and start it; queries "
                "are sent on a schedule, whatever the server does."),
                QStringLiteral("load"), tr("Start"), Until::Recorded, QStringLiteral("load"), {}},
            {tr("Send 5 % of the sessions to the other pool. They are held there until the time is "
                "over; should this console end, the balancer by itself sends all back."),
                rollout, tr("Shift…"), Until::Recorded, QStringLiteral("shift"),
                tr("Shift traffic by hand")},
            {tr("Watch the share arrive in the requests, then roll back: at once, without a "
                "question."),
                rollout, tr("Roll back to %1"), Until::Recorded, QStringLiteral("rollback"),
                tr("Shift traffic by hand")},
            {tr("Done, for real: traffic went to the other pool and came back, and the record says "
                "when and by whom."),
                QStringLiteral("history"), {}, Until::Read, {}, {}}}};
}

} // namespace

QList<TourPlan> tourPlans()
{
    return {adminTour(), testerTour(), leadTour()};
}

} // namespace sluice::ui

#include "ui/load/scenariodialog.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "ui/charts/chartgroup.h"
#include "ui/charts/livechart.h"
#include "ui/shell/button.h"
#include "ui/shell/text.h"

#include <QFile>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QJsonDocument>
#include <QPlainTextEdit>
#include <QVBoxLayout>
#include <algorithm>

namespace sluice::ui {

void drawScenario(LiveChart* chart, ChartGroup* group, const ops::Scenario& scenario)
{
    const double end = scenario.durationSeconds();
    group->setElapsed(true);
    group->resetZoom();
    group->setLiveRange(0, end);
    ChartSeries users{ScenarioDialog::tr("users"), {}, 0, true, true};
    ChartSeries rate{ScenarioDialog::tr("requests a second"), {}, 2, false, true};
    constexpr int points = 200;
    const QList<ops::CurvePoint> curve = scenario.curve(points);
    for (const ops::CurvePoint& point : curve) {
        users.points << QPointF(point.seconds, point.users);
        rate.points << QPointF(point.seconds, point.rate);
    }
    chart->setGap(std::max(3.0, 3 * end / points));
    chart->setLeastTop(std::max({1.0, scenario.peakUsers() * 1.1, scenario.peakRate() * 1.1}));
    chart->setSeries(
        scenario.peakRate() > 0 ? QList<ChartSeries>{users, rate} : QList<ChartSeries>{users});
}

ScenarioDialog::ScenarioDialog(const ops::Scenario& scenario, QWidget* parent)
    : QDialog(parent)
    , m_editor(new QPlainTextEdit(this))
    , m_group(new ChartGroup(this))
    , m_curve(new LiveChart(tr("Scenario over time"), m_group, Unit::Count, this))
    , m_problem(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_save(new Button(tr("Save copy"), ButtonRole::Primary, this))
{
    setWindowTitle(tr("Edit a copy of %1").arg(scenario.name));
    setModal(true);
    setAttribute(Qt::WA_DeleteOnClose);
    resize(880, 560);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(20, 18, 20, 16);
    layout->setSpacing(10);
    layout->addWidget(new Text(FontRole::Title, Ink::Text, windowTitle(), this));
    auto* columns = new QHBoxLayout;
    m_editor->setAccessibleName(tr("Scenario as JSON"));
    m_editor->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_editor->setTabChangesFocus(true);
    columns->addWidget(m_editor, 1);
    auto* side = new QVBoxLayout;
    side->addWidget(m_curve, 1);
    m_problem->setWordWrap(true);
    m_problem->setMinimumHeight(64);
    m_problem->setAlignment(Qt::AlignTop);
    side->addWidget(m_problem);
    columns->addLayout(side, 1);
    layout->addLayout(columns, 1);
    auto* buttons = new QHBoxLayout;
    auto* cancel = new Button(tr("Cancel"), ButtonRole::Plain, this);
    buttons->addStretch();
    buttons->addWidget(cancel);
    buttons->addWidget(m_save);
    layout->addLayout(buttons);
    connect(cancel, &Button::clicked, this, &QDialog::reject);
    connect(m_save, &Button::clicked, this, &ScenarioDialog::save);
    connect(m_editor, &QPlainTextEdit::textChanged, this, &ScenarioDialog::check);

    ops::Scenario copy = scenario;
    const QStringList names = ops::scenarioNames();
    for (int number = 1; names.contains(copy.name); ++number) {
        copy.name = number == 1 ? scenario.name + QStringLiteral("-copy")
                                : QStringLiteral("%1-copy-%2").arg(scenario.name).arg(number);
    }
    m_editor->setPlainText(QString::fromUtf8(QJsonDocument(copy.toJson()).toJson()));
}

void ScenarioDialog::check()
{
    m_scenario.reset();
    auto scenario = ops::Scenario::fromJson(m_editor->toPlainText().toUtf8(), tr("the scenario"));
    if (scenario) {
        if (auto sound = scenario->check(); !sound) {
            scenario = sound.error();
        }
    }
    QString wrong;
    if (!scenario) {
        wrong = QString::fromStdString(scenario.error().text());
    } else if (scenario->name.contains(u'/') || scenario->name.startsWith(u'.')) {
        wrong = tr("The name becomes a file's: without a slash, not beginning with a dot.");
    } else if (QFile::exists(QString::fromStdString(
                   resourceFile("scenarios/" + scenario->name.toStdString() + ".json").string()))) {
        wrong = tr("\"%1\" is a bundled scenario: give the copy another name.").arg(scenario->name);
    }
    m_save->setEnabled(wrong.isEmpty());
    m_curve->setStale(!wrong.isEmpty());
    m_problem->setInk(wrong.isEmpty() ? Ink::Muted : Ink::Bad);
    if (!wrong.isEmpty()) {
        m_problem->setText(QString(Theme::glyph(Tone::Bad) % u' ' % wrong));
        return;
    }
    m_scenario = std::move(*scenario);
    m_problem->setText(tr("%1 s, up to %2 users. Saved into %3.")
                           .arg(format::number(m_scenario->durationSeconds()),
                               format::count(m_scenario->peakUsers()), ops::scenarioFolder()));
    drawScenario(m_curve, m_group, *m_scenario);
}

void ScenarioDialog::save()
{
    if (!m_scenario) {
        return;
    }
    const std::string folder = ops::scenarioFolder().toStdString();
    auto written = ensureWritableFolder(folder);
    if (written) {
        written = writeFileAtomically(folder + '/' + m_scenario->name.toStdString() + ".json",
            QJsonDocument(m_scenario->toJson()).toJson().toStdString());
    }
    if (!written) {
        m_problem->setInk(Ink::Bad);
        m_problem->setText(QString::fromStdString(written.error().text()));
        return;
    }
    Q_EMIT saved(m_scenario->name);
    accept();
}

} // namespace sluice::ui

#include "ui/shell/welcomepage.h"
#include "ui/shell/plaintable.h"

#include "engine/operations/environment/localstack.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/text.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

WelcomePage::WelcomePage(Console* console, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
{
    auto* title =
        new Text(FontRole::Figure, Ink::Text, tr("Run a query-classification service"), this);
    auto* about = new Text(FontRole::Base, Ink::Muted,
        tr("Tune its thresholds, try queries on it, watch it, load it, and shift traffic to a new "
           "version and back. "
           "Classify, Thresholds and History work at once, without any server."),
        this);
    about->setWordWrap(true);

    auto* local =
        new Card(tr("The local stack"), tr("on this machine, loopback and free ports only"), this);
    auto* what = new Text(FontRole::Base, Ink::Muted,
        tr("Redis, Prometheus, HAProxy, two blue and two green workers. It starts in seconds and "
           "ends with this console."),
        local);
    what->setWordWrap(true);
    m_start = new Button(tr("Start the local stack"), ButtonRole::Primary, local);
    m_demo = new Button(tr("Start the demo"), ButtonRole::Plain, local);
    m_demo->setToolTip(tr("The local stack, with queries sent to it as customers would"));
    auto* starts = new QHBoxLayout;
    starts->setSpacing(10);
    starts->addWidget(m_start);
    starts->addWidget(m_demo);
    starts->addStretch();
    m_banner = new InfoBanner(local);
    m_parts = new QTableWidget(0, 3, local);
    plainTable(m_parts, tr("Parts of the local stack"));
    m_parts->setSelectionMode(QAbstractItemView::NoSelection);
    m_parts->horizontalHeader()->hide();
    m_parts->verticalHeader()->setDefaultSectionSize(24);
    m_parts->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_parts->horizontalHeader()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    m_parts->horizontalHeader()->setSectionResizeMode(2, QHeaderView::Stretch);
    m_parts->setMinimumHeight(7 * 24 + 4);
    m_parts->hide();
    local->content()->addWidget(what);
    local->content()->addLayout(starts);
    local->content()->addWidget(m_banner);
    local->content()->addWidget(m_parts, 1);
    local->content()->addStretch();

    auto* other = new Card(tr("An environment"), tr("staging, production"), this);
    auto* there = new Text(FontRole::Base, Ink::Muted,
        tr("Give the addresses of its Prometheus, Redis, balancer and workers; each is tested "
           "before it is saved."),
        other);
    there->setWordWrap(true);
    m_connect = new Button(tr("Connect to an environment…"), ButtonRole::Plain, other);
    other->content()->addWidget(there);
    other->content()->addWidget(m_connect, 0, Qt::AlignLeft);
    other->content()->addStretch();

    auto* cards = new QHBoxLayout;
    cards->setSpacing(12);
    cards->addWidget(local, 3);
    cards->addWidget(other, 2);
    auto* tours = new Card(tr("Guided tours"),
        tr("on the bundled data; each ends with the thing done for real"), this);
    auto* walks = new QHBoxLayout;
    walks->setSpacing(10);
    for (const TourPlan& plan : tourPlans()) {
        auto* walk = new Button(plan.name, ButtonRole::Plain, tours);
        walk->setToolTip(plan.title);
        walk->setAccessibleName(plan.title);
        connect(walk, &Button::clicked, this, [this, plan] { Q_EMIT tourRequested(plan); });
        walks->addWidget(walk);
    }
    walks->addStretch();
    tours->content()->addLayout(walks);

    auto* middle = new QWidget(this);
    middle->setMaximumWidth(860);
    auto* column = new QVBoxLayout(middle);
    column->setSpacing(12);
    column->addStretch(1);
    column->addWidget(title);
    column->addWidget(about);
    column->addSpacing(8);
    column->addLayout(cards);
    column->addWidget(tours);
    column->addStretch(2);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addStretch(1);
    layout->addWidget(middle, 20);
    layout->addStretch(1);

    connect(m_start, &Button::clicked, console, &Console::startLocalStack);
    connect(m_demo, &Button::clicked, this, &WelcomePage::demoRequested);
    connect(m_connect, &Button::clicked, this, &WelcomePage::connectRequested);
    connect(console, &Console::localStackChanged, this, &WelcomePage::refresh);
    connect(console, &Console::environmentChanged, this, &WelcomePage::refresh);
    connect(console->localStack(), &ops::LocalStack::partChanged, this, &WelcomePage::showPart);
    connect(console->localStack(), &ops::LocalStack::failed, this, [this](const Error& error) {
        m_banner->show(Tone::Bad, QString::fromStdString(error.text()));
    });
    refresh();
}

void WelcomePage::refresh()
{
    const bool local = m_console->environment().name == QLatin1StringView("local");
    const bool starting = m_console->isLocalStackStarting();
    if (starting) {
        m_banner->dismiss();
        m_parts->setRowCount(0);
    }
    m_start->setEnabled(!starting && !local);
    m_demo->setEnabled(!starting);
    m_start->setText(starting ? tr("Starting…")
            : local           ? tr("The local stack runs")
                              : tr("Start the local stack"));
}

void WelcomePage::showPart(const ops::StackPart& part)
{
    m_parts->show();
    int row = 0;
    while (row < m_parts->rowCount() && m_parts->item(row, 0)->text() != part.name) {
        ++row;
    }
    if (row == m_parts->rowCount()) {
        m_parts->insertRow(row);
        m_parts->setItem(row, 0, new QTableWidgetItem(part.name));
        m_parts->setItem(row, 1, new QTableWidgetItem);
        m_parts->setItem(row, 2, new QTableWidgetItem);
    }
    struct Look
    {
        Tone tone;
        QString word;
    };
    const Look look = part.state == ops::PartState::Healthy ? Look{Tone::Ok, tr("✓ healthy")}
        : part.state == ops::PartState::Failed              ? Look{Tone::Bad, tr("✕ failed")}
        : part.state == ops::PartState::Starting            ? Look{Tone::Warn, tr("◌ starting")}
                                                            : Look{Tone::None, tr("○ waiting")};
    m_parts->item(row, 1)->setText(look.word);
    m_parts->item(row, 1)->setForeground(theme().color(look.tone));
    const QString detail =
        part.state == ops::PartState::Healthy ? part.url.toString() : part.detail;
    m_parts->item(row, 2)->setText(detail);
    m_parts->item(row, 2)->setToolTip(detail % u'\n' % part.logFile);
}

} // namespace sluice::ui

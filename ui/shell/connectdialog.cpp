#include "ui/shell/connectdialog.h"

#include "engine/operations/environment/redisclient.h"
#include "engine/operations/environment/secretstore.h"
#include "engine/operations/rollout/trafficrouter.h"
#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/text.h"

#include <QCheckBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListWidget>
#include <QNetworkReply>
#include <QPlainTextEdit>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

constexpr int testTimeoutMs = 3000;

QLineEdit* field(const QString& name, const QString& hint, QWidget* parent)
{
    auto* edit = new QLineEdit(parent);
    edit->setPlaceholderText(hint);
    edit->setAccessibleName(name);
    edit->setMinimumWidth(340);
    return edit;
}

} // namespace

ConnectDialog::ConnectDialog(Console* console, QWidget* parent)
    : QDialog(parent)
    , m_console(console)
{
    setWindowTitle(tr("Environments"));
    auto* columns = new QHBoxLayout(this);
    columns->setContentsMargins(18, 16, 18, 16);
    columns->setSpacing(18);
    columns->addWidget(makeList());
    columns->addWidget(makeForm(), 1);
    const ops::Environment& now = console->environment();
    fillList(now.name);
    if (m_list->currentRow() < 0) {
        startNew();
    }
}

QWidget* ConnectDialog::makeList()
{
    auto* box = new QWidget(this);
    box->setFixedWidth(190);
    m_list = new QListWidget(box);
    m_list->setAccessibleName(tr("Environments"));
    m_list->setFrameShape(QFrame::NoFrame);
    auto* add = new Button(tr("New"), ButtonRole::Plain, box);
    add->setToolTip(tr("Empties the form for another environment"));
    m_remove = new Button(tr("Delete…"), ButtonRole::Danger, box);
    m_remove->setToolTip(tr("Forgets the chosen environment; its servers are not touched"));
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(add);
    buttons->addStretch();
    buttons->addWidget(m_remove);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(new Text(FontRole::CardTitle, Ink::Muted, tr("Set up so far"), box));
    layout->addWidget(m_list, 1);
    layout->addLayout(buttons);
    connect(add, &Button::clicked, this, &ConnectDialog::startNew);
    connect(m_remove, &Button::clicked, this, &ConnectDialog::askRemove);
    connect(m_list, &QListWidget::currentTextChanged, this, [this](const QString& name) {
        m_remove->setEnabled(!name.isEmpty());
        const auto known = m_console->store().load();
        for (const ops::Environment& one : known ? *known : QList<ops::Environment>()) {
            if (one.name == name) {
                edit(one);
            }
        }
    });
    return box;
}

QWidget* ConnectDialog::makeForm()
{
    auto* box = new QWidget(this);
    m_name = field(tr("Name"), tr("staging"), box);
    m_production =
        new QCheckBox(tr("Production: coloured frame, named in every confirmation"), box);
    m_readOnly = new QCheckBox(tr("Read only: nothing is published, loaded or shifted"), box);
    m_loadTarget =
        new QCheckBox(tr("Load target: load runs are aimed at it without typing its name"), box);
    m_prometheus = field(tr("Prometheus"), QStringLiteral("http://127.0.0.1:39090"), box);
    m_redis = field(tr("Redis"), QStringLiteral("127.0.0.1:36379"), box);
    m_user = field(tr("Redis user"), QStringLiteral("viewer"), box);
    m_password = field(tr("Redis password"), {}, box);
    m_password->setEchoMode(QLineEdit::Password);
    m_balancer = field(tr("Balancer"), QStringLiteral("http://127.0.0.1:38080"), box);
    m_socket = field(tr("HAProxy socket"), tr("/run/haproxy/admin.sock, to shift traffic"), box);
    m_workers = new QPlainTextEdit(box);
    m_workers->setAccessibleName(tr("Workers"));
    m_workers->setPlaceholderText(tr("one a line: blue http://127.0.0.1:38101"));
    m_workers->setTabChangesFocus(true);
    m_workers->setFixedHeight(76);
    m_token = field(tr("Token for the workers"), {}, box);
    m_token->setEchoMode(QLineEdit::Password);
    for (StatusLabel** label : {&m_prometheusState, &m_redisState, &m_balancerState, &m_socketState,
             &m_workersState, &m_error}) {
        *label = new StatusLabel(box);
        (*label)->setWordWrap(true);
    }
    auto* form = new QFormLayout;
    form->setSpacing(6);
    form->addRow(tr("Name"), m_name);
    form->addRow(QString(), m_production);
    form->addRow(QString(), m_readOnly);
    form->addRow(QString(), m_loadTarget);
    form->addRow(tr("Prometheus"), m_prometheus);
    form->addRow(QString(), m_prometheusState);
    form->addRow(tr("Redis"), m_redis);
    form->addRow(tr("User"), m_user);
    form->addRow(tr("Password"), m_password);
    form->addRow(QString(), m_redisState);
    form->addRow(tr("Balancer"), m_balancer);
    form->addRow(QString(), m_balancerState);
    form->addRow(tr("HAProxy socket"), m_socket);
    form->addRow(QString(), m_socketState);
    form->addRow(tr("Workers"), m_workers);
    form->addRow(tr("Their token"), m_token);
    form->addRow(QString(), m_workersState);
    auto* test = new Button(tr("Test the connection"), ButtonRole::Plain, box);
    auto* cancel = new Button(tr("Cancel"), ButtonRole::Plain, box);
    m_save = new Button(tr("Save and connect"), ButtonRole::Primary, box);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(test);
    buttons->addStretch();
    buttons->addWidget(cancel);
    buttons->addWidget(m_save);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addLayout(form);
    layout->addStretch();
    layout->addWidget(m_error);
    layout->addLayout(buttons);
    connect(test, &Button::clicked, this, &ConnectDialog::test);
    connect(cancel, &Button::clicked, this, &QDialog::reject);
    connect(m_save, &Button::clicked, this, &ConnectDialog::save);
    return box;
}

void ConnectDialog::fillList(const QString& chosen)
{
    const auto known = m_console->store().load();
    if (!known) {
        m_error->setStatus(Tone::Bad, QString::fromStdString(known.error().text()));
    }
    m_list->clear();
    m_remove->setEnabled(false);
    for (const ops::Environment& one : known ? *known : QList<ops::Environment>()) {
        m_list->addItem(one.name);
        if (one.name == chosen) {
            m_list->setCurrentRow(m_list->count() - 1);
        }
    }
}

void ConnectDialog::startNew()
{
    m_list->setCurrentRow(-1);
    edit({});
    m_name->setFocus();
}

void ConnectDialog::edit(const ops::Environment& environment)
{
    m_name->setText(environment.name);
    m_production->setChecked(environment.production);
    m_readOnly->setChecked(environment.readOnly);
    m_loadTarget->setChecked(environment.loadTarget);
    m_prometheus->setText(environment.prometheus.toString());
    m_redis->setText(environment.redis.port == 0
            ? QString()
            : QStringLiteral("%1:%2").arg(environment.redis.host).arg(environment.redis.port));
    m_user->setText(environment.redis.user);
    m_balancer->setText(environment.balancer.toString());
    m_socket->setText(environment.balancerSocket);
    QStringList workers;
    for (const ops::WorkerEndpoint& worker : environment.workers) {
        workers << QString(worker.pool % u' ' % worker.url.toString());
    }
    m_workers->setPlainText(workers.join(u'\n'));
    m_password->clear();
    m_token->clear();
    const QString kept = environment.name.isEmpty() ? tr("kept in the desktop's keychain")
                                                    : tr("empty: as it is kept");
    m_password->setPlaceholderText(kept);
    m_token->setPlaceholderText(kept);
    for (StatusLabel* label : {m_prometheusState, m_redisState, m_balancerState, m_socketState,
             m_workersState, m_error}) {
        label->clear();
    }
}

void ConnectDialog::askRemove()
{
    const QString name =
        m_list->currentItem() == nullptr ? QString() : m_list->currentItem()->text();
    Confirmation question;
    question.title = tr("Delete the environment %1").arg(name);
    question.object = tr("its addresses, on this machine");
    question.consequence = tr("Its servers are not touched; it can be set up again.");
    question.verb = tr("Delete %1").arg(name);
    question.environment = name;
    auto* dialog = new ConfirmDialog(question, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, name] {
        if (auto removed = m_console->store().remove(name); !removed) {
            m_error->setStatus(Tone::Bad, QString::fromStdString(removed.error().text()));
            return;
        }
        fillList({});
        startNew();
    });
    dialog->open();
}

ops::Environment ConnectDialog::environment() const
{
    ops::Environment environment;
    environment.name = m_name->text().trimmed();
    environment.production = m_production->isChecked();
    environment.readOnly = m_readOnly->isChecked();
    environment.loadTarget = m_loadTarget->isChecked();
    environment.prometheus = QUrl(m_prometheus->text().trimmed());
    const QStringList redis = m_redis->text().trimmed().split(u':');
    if (redis.size() == 2) {
        environment.redis = {redis[0], redis[1].toUShort(), m_user->text().trimmed()};
    }
    environment.balancer = QUrl(m_balancer->text().trimmed());
    environment.balancerSocket = m_socket->text().trimmed();
    const QStringList lines = m_workers->toPlainText().split(u'\n', Qt::SkipEmptyParts);
    for (const QString& line : lines) {
        const QStringList words = line.simplified().split(u' ');
        if (words.size() == 2) {
            environment.workers << ops::WorkerEndpoint{words[0], QUrl(words[1])};
        }
    }
    return environment;
}

void ConnectDialog::test()
{
    const ops::Environment wanted = environment();
    ask(wanted.prometheus, QStringLiteral("/-/ready"), m_prometheusState, tr("Prometheus answers"));
    ask(wanted.balancer, QStringLiteral("/readyz"), m_balancerState, tr("The balancer answers"));
    testRedis(wanted);
    testBalancer(wanted);
    testWorkers(wanted);
}

void ConnectDialog::ask(QUrl url, const QString& path, StatusLabel* label, const QString& good)
{
    if (url.isEmpty()) {
        label->setStatus(Tone::None, tr("not given"));
        return;
    }
    if (!url.isValid() || url.host().isEmpty()
        || !url.scheme().startsWith(QLatin1StringView("http"))) {
        label->setStatus(Tone::Bad, tr("http://host:port is expected"));
        return;
    }
    label->setStatus(Tone::None, QStringLiteral("◌"), tr("asking"));
    url.setPath(path);
    QNetworkRequest request(url);
    request.setTransferTimeout(testTimeoutMs);
    QNetworkReply* reply = m_network.get(request);
    connect(reply, &QNetworkReply::finished, label, [reply, label, good, url] {
        reply->deleteLater();
        const bool fine = reply->error() == QNetworkReply::NoError;
        label->setStatus(fine ? Tone::Ok : Tone::Bad,
            fine ? good : QString(url.toString() % QStringLiteral(": ") % reply->errorString()));
    });
}

void ConnectDialog::testBalancer(const ops::Environment& wanted)
{
    if (wanted.balancerSocket.isEmpty()) {
        m_socketState->setStatus(Tone::None, tr("not given: traffic can't be shifted"));
        return;
    }
    m_socketState->setStatus(Tone::None, QStringLiteral("◌"), tr("asking"));
    m_router = std::make_shared<ops::TrafficRouter>(wanted.balancerSocket);
    m_router->read(this, [this](const Result<ops::TrafficSplit>& split) {
        m_socketState->setStatus(split ? Tone::Ok : Tone::Bad,
            split ? tr("HAProxy says that %1 is live").arg(split->live)
                  : QString::fromStdString(split.error().text()));
    });
}

void ConnectDialog::testRedis(const ops::Environment& wanted)
{
    if (wanted.redis.port == 0) {
        m_redisState->setStatus(m_redis->text().isEmpty() ? Tone::None : Tone::Bad,
            m_redis->text().isEmpty() ? tr("not given") : tr("host:port is expected"));
        return;
    }
    m_redisState->setStatus(Tone::None, QStringLiteral("◌"), tr("asking"));
    if (!m_password->text().isEmpty() || wanted.redis.user.isEmpty()) {
        openProbe(wanted, m_password->text());
        return;
    }
    m_console->secrets()->find(QStringLiteral("%1/redis/%2").arg(wanted.name, wanted.redis.user),
        this, [this, wanted](const Result<QString>& kept) {
            if (kept) {
                openProbe(wanted, *kept);
            } else {
                m_redisState->setStatus(Tone::Bad,
                    tr("no password: %1").arg(QString::fromStdString(kept.error().text())));
            }
        });
}

void ConnectDialog::openProbe(const ops::Environment& wanted, const QString& password)
{
    delete m_probe;
    m_probe = new ops::RedisClient(this);
    connect(m_probe, &ops::RedisClient::stateChanged, this, [this](ops::RedisClient::State state) {
        if (state == ops::RedisClient::State::Connected) {
            m_redisState->setStatus(Tone::Ok, tr("Redis lets this user in"));
        } else if (state == ops::RedisClient::State::Lost) {
            m_redisState->setStatus(Tone::Bad, m_probe->lastError());
        }
    });
    m_probe->open(wanted.redis.host, wanted.redis.port, wanted.redis.user, password,
        QStringLiteral("sluice-test"));
}

void ConnectDialog::testWorkers(const ops::Environment& wanted)
{
    if (wanted.workers.isEmpty()) {
        m_workersState->setStatus(Tone::None, tr("not given"));
        return;
    }
    struct Count
    {
        int open = 0;
        int good = 0;
        int all = 0;
    };
    auto count = std::make_shared<Count>();
    count->open = count->all = int(wanted.workers.size());
    m_workersState->setStatus(Tone::None, QStringLiteral("◌"), tr("asking"));
    for (const ops::WorkerEndpoint& worker : wanted.workers) {
        QUrl url = worker.url;
        url.setPath(QStringLiteral("/readyz"));
        QNetworkRequest request(url);
        request.setTransferTimeout(testTimeoutMs);
        QNetworkReply* reply = m_network.get(request);
        connect(reply, &QNetworkReply::finished, this, [this, reply, count] {
            reply->deleteLater();
            count->good += reply->error() == QNetworkReply::NoError ? 1 : 0;
            if (--count->open == 0) {
                m_workersState->setStatus(count->good == count->all ? Tone::Ok : Tone::Bad,
                    tr("%1 of %2 workers are ready").arg(count->good).arg(count->all));
            }
        });
    }
}

void ConnectDialog::save()
{
    const ops::Environment wanted = environment();
    const QString problem = wanted.name.isEmpty() ? tr("Give the environment a name.")
        : wanted.name == QLatin1StringView("local")
        ? tr("\"local\" is the local stack: take another name.")
        : wanted.prometheus.isEmpty() && wanted.redis.port == 0
        ? tr("Give at least Prometheus or Redis.")
        : QString();
    if (!problem.isEmpty()) {
        m_error->setStatus(Tone::Bad, problem);
        return;
    }
    if (auto saved = m_console->store().upsert(wanted); !saved) {
        m_error->setStatus(Tone::Bad, QString::fromStdString(saved.error().text()));
        return;
    }
    keepSecret(
        QStringLiteral("%1/redis/%2").arg(wanted.name, wanted.redis.user), m_password->text());
    keepSecret(QStringLiteral("%1/worker/token").arg(wanted.name), m_token->text());
    Q_EMIT chosen(wanted);
    accept();
}

void ConnectDialog::keepSecret(const QString& name, const QString& secret)
{
    if (secret.isEmpty()) {
        return;
    }
    m_console->secrets()->store(
        name, secret, m_console, [console = m_console](const Result<void>& stored) {
            if (!stored) {
                console->notify(Tone::Warn, QString::fromStdString(stored.error().text()));
            }
        });
}

} // namespace sluice::ui

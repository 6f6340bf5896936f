#include "ui/shell/connectdialog.h"

#include "engine/operations/environment/redisclient.h"
#include "engine/operations/environment/secretstore.h"
#include "ui/shell/button.h"
#include "ui/shell/console.h"
#include "ui/shell/text.h"

#include <QCheckBox>
#include <QFormLayout>
#include <QLineEdit>
#include <QNetworkReply>
#include <QPlainTextEdit>

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
    setWindowTitle(tr("Connect to an environment"));
    m_name = field(tr("Name"), tr("staging"), this);
    m_production =
        new QCheckBox(tr("Production: coloured frame, named in every confirmation"), this);
    m_readOnly = new QCheckBox(tr("Read only"), this);
    m_prometheus = field(tr("Prometheus"), QStringLiteral("http://127.0.0.1:39090"), this);
    m_redis = field(tr("Redis"), QStringLiteral("127.0.0.1:36379"), this);
    m_user = field(tr("Redis user"), QStringLiteral("viewer"), this);
    m_password = field(tr("Redis password"), tr("kept in the desktop's keychain"), this);
    m_password->setEchoMode(QLineEdit::Password);
    m_balancer = field(tr("Balancer"), QStringLiteral("http://127.0.0.1:38080"), this);
    m_socket = field(tr("HAProxy socket"), tr("/run/haproxy/admin.sock, to shift traffic"), this);
    m_workers = new QPlainTextEdit(this);
    m_workers->setAccessibleName(tr("Workers"));
    m_workers->setPlaceholderText(tr("one a line: blue http://127.0.0.1:38101"));
    m_workers->setTabChangesFocus(true);
    m_workers->setFixedHeight(84);
    m_prometheusState = new StatusLabel(this);
    m_redisState = new StatusLabel(this);
    m_workersState = new StatusLabel(this);
    m_error = new StatusLabel(this);
    m_error->setWordWrap(true);

    auto* form = new QFormLayout;
    form->setSpacing(8);
    form->addRow(tr("Name"), m_name);
    form->addRow(QString(), m_production);
    form->addRow(QString(), m_readOnly);
    form->addRow(tr("Prometheus"), m_prometheus);
    form->addRow(QString(), m_prometheusState);
    form->addRow(tr("Redis"), m_redis);
    form->addRow(tr("User"), m_user);
    form->addRow(tr("Password"), m_password);
    form->addRow(QString(), m_redisState);
    form->addRow(tr("Balancer"), m_balancer);
    form->addRow(tr("HAProxy socket"), m_socket);
    form->addRow(tr("Workers"), m_workers);
    form->addRow(QString(), m_workersState);
    auto* test = new Button(tr("Test"), ButtonRole::Plain, this);
    auto* cancel = new Button(tr("Cancel"), ButtonRole::Plain, this);
    m_save = new Button(tr("Save and connect"), ButtonRole::Primary, this);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(test);
    buttons->addStretch();
    buttons->addWidget(cancel);
    buttons->addWidget(m_save);
    auto* layout = new QVBoxLayout(this);
    layout->addLayout(form);
    layout->addWidget(m_error);
    layout->addLayout(buttons);
    connect(test, &Button::clicked, this, &ConnectDialog::test);
    connect(cancel, &Button::clicked, this, &QDialog::reject);
    connect(m_save, &Button::clicked, this, &ConnectDialog::save);
}

ops::Environment ConnectDialog::environment() const
{
    ops::Environment environment;
    environment.name = m_name->text().trimmed();
    environment.production = m_production->isChecked();
    environment.readOnly = m_readOnly->isChecked();
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
    testPrometheus(wanted);
    testRedis(wanted);
    testWorkers(wanted);
}

void ConnectDialog::testPrometheus(const ops::Environment& wanted)
{
    if (wanted.prometheus.isEmpty()) {
        m_prometheusState->setStatus(Tone::None, tr("not given"));
        return;
    }
    m_prometheusState->setStatus(Tone::None, QStringLiteral("◌"), tr("asking"));
    QUrl url = wanted.prometheus;
    url.setPath(QStringLiteral("/-/ready"));
    QNetworkRequest request(url);
    request.setTransferTimeout(testTimeoutMs);
    QNetworkReply* reply = m_network.get(request);
    connect(reply, &QNetworkReply::finished, this, [this, reply] {
        reply->deleteLater();
        const bool fine = reply->error() == QNetworkReply::NoError;
        m_prometheusState->setStatus(
            fine ? Tone::Ok : Tone::Bad, fine ? tr("Prometheus answers") : reply->errorString());
    });
}

void ConnectDialog::testRedis(const ops::Environment& wanted)
{
    if (wanted.redis.port == 0) {
        m_redisState->setStatus(
            Tone::None, m_redis->text().isEmpty() ? tr("not given") : tr("host:port is expected"));
        return;
    }
    m_redisState->setStatus(Tone::None, QStringLiteral("◌"), tr("asking"));
    delete m_probe;
    m_probe = new ops::RedisClient(this);
    connect(m_probe, &ops::RedisClient::stateChanged, this, [this](ops::RedisClient::State state) {
        if (state == ops::RedisClient::State::Connected) {
            m_redisState->setStatus(Tone::Ok, tr("Redis lets this user in"));
        } else if (state == ops::RedisClient::State::Lost) {
            m_redisState->setStatus(Tone::Bad, m_probe->lastError());
        }
    });
    m_probe->open(wanted.redis.host, wanted.redis.port, wanted.redis.user, m_password->text(),
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
    if (!m_password->text().isEmpty()) {
        m_console->secrets()->store(
            QStringLiteral("%1/redis/%2").arg(wanted.name, wanted.redis.user), m_password->text(),
            m_console, [console = m_console](const Result<void>& stored) {
                if (!stored) {
                    console->notify(Tone::Warn, QString::fromStdString(stored.error().text()));
                }
            });
    }
    Q_EMIT chosen(wanted);
    accept();
}

} // namespace sluice::ui

#include "ui/classify/targetpicker.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/operations/environment/secretstore.h"
#include "engine/operations/queries/modellist.h"
#include "engine/operations/thresholds/publishedthresholds.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QLineEdit>
#include <QSignalBlocker>

namespace sluice::ui {

namespace {

constexpr std::size_t cacheBytes = std::size_t(4) << 20;

QString addressOf(const QUrl& url)
{
    return url.host() % u':'
        % QString::number(url.port(url.scheme() == QLatin1StringView("https") ? 443 : 80));
}

} // namespace

TargetPicker::TargetPicker(Console* console, const QString& name, QWidget* parent)
    : QComboBox(parent)
    , m_console(console)
{
    setAccessibleName(name);
    setToolTip(tr("Who answers: the engine in this program, or a worker"));
    setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    setMinimumContentsLength(20);
    connect(this, &QComboBox::activated, this, &TargetPicker::take);
    connect(console, &Console::environmentChanged, this, &TargetPicker::refill);
    connect(console, &Console::environmentChanged, this, &TargetPicker::readToken);
    connect(console, &Console::classifierLoaded, this, [this] {
        refill();
        if (!m_target.isValid() || m_chosen == tr("Embedded engine")) {
            take(0);
        }
    });
    refill();
    readToken();
    if (console->classifier() != nullptr) {
        take(0);
    }
}

void TargetPicker::addChoice(const QString& name, const QString& hint, Choose choose)
{
    m_choices << Choice{name, hint, std::move(choose)};
    addItem(name);
    setItemData(count() - 1, hint, Qt::ToolTipRole);
}

void TargetPicker::addEngine()
{
    addChoice(
        tr("Embedded engine"), tr("the model in use, with the thresholds trained with it"), [this] {
            if (const auto classifier = m_console->classifier()) {
                compileOn(
                    classifier, classifier->model().defaultThresholds(), tr("Embedded engine"));
            }
        });
    if (m_console->environment().redis.port != 0) {
        for (const QString& pool : {QStringLiteral("blue"), QStringLiteral("green")}) {
            addChoice(tr("Embedded, thresholds of %1").arg(pool),
                tr("the model in use, with the set that is published to %1").arg(pool),
                [this, pool] { usePublished(pool); });
        }
    }
    if (const auto models = ops::ModelList().entries(); models.ok()) {
        for (const ops::ModelEntry& entry : *models) {
            const QString name = entry.note.isEmpty()
                ? tr("Model %1").arg(format::shortHash(entry.hash))
                : tr("Model %1 · %2").arg(format::shortHash(entry.hash), entry.note);
            addChoice(name, entry.file, [this, entry, name] { useModel(entry.file, name); });
        }
    }
}

void TargetPicker::addEnvironment()
{
    const ops::Environment& environment = m_console->environment();
    for (const ops::WorkerEndpoint& worker : environment.workers) {
        const QString name = tr("Worker %1 %2").arg(worker.pool, addressOf(worker.url));
        addChoice(
            name, worker.url.toString(), [this, worker, name] { useWorker(name, worker.url); });
    }
    if (environment.balancer.isValid() && !environment.balancer.isEmpty()) {
        const QString name = tr("Balancer %1").arg(addressOf(environment.balancer));
        addChoice(name, tr("as clients ask it: the session says which pool answers"),
            [this, name] { useWorker(name, m_console->environment().balancer); });
    }
}

/// With the environment's token, where one is kept.
void TargetPicker::useWorker(const QString& name, const QUrl& url)
{
    ops::QueryTarget target;
    target.name = name;
    target.worker = url;
    target.token = m_token;
    set(target);
    m_hasToken = true;
}

/// The local stack's workers ask for none. A keychain may take its time: who was chosen meanwhile
/// gets it then.
void TargetPicker::readToken()
{
    m_token.clear();
    const QString environment = m_console->environment().name;
    if (environment.isEmpty() || environment == QLatin1StringView("local")) {
        return;
    }
    m_console->secrets()->find(QStringLiteral("%1/worker/token").arg(environment), this,
        [this, environment](const Result<QString>& token) {
            if (!token || environment != m_console->environment().name) {
                return;
            }
            m_token = *token;
            if (m_hasToken) {
                m_target.token = m_token;
            }
        });
}

void TargetPicker::refill()
{
    const QSignalBlocker blocker(this);
    clear();
    m_choices.clear();
    addEngine();
    addEnvironment();
    for (const ops::QueryTarget& added : std::as_const(m_added)) {
        addChoice(added.name, added.worker.toString(), [this, added] { set(added); });
    }
    insertSeparator(count());
    m_choices << Choice();
    addChoice(tr("Model file…"), {}, [this] { askForModel(); });
    addChoice(tr("Threshold set from a file…"), {}, [this] { askForThresholds(); });
    addChoice(tr("Worker by its address…"), {}, [this] { askForWorker(); });
    const int known = findText(m_chosen);
    setCurrentIndex(std::max(known, 0));
    if (known < 0 && m_target.isValid() && m_target.isWorker()) {
        take(0); // its environment is gone
    }
}

void TargetPicker::take(int index)
{
    if (index >= 0 && index < m_choices.size() && m_choices[index].choose) {
        const auto choose = m_choices[index].choose; // may refill
        choose();
    }
}

void TargetPicker::set(ops::QueryTarget target)
{
    m_target = std::move(target);
    m_hasToken = false;
    m_chosen = m_target.name;
    const QSignalBlocker blocker(this);
    if (findText(m_chosen) < 0) {
        m_added << m_target;
        refill();
    }
    setCurrentIndex(findText(m_chosen));
    blockSignals(false);
    Q_EMIT targetChanged();
}

void TargetPicker::fail(const QString& text)
{
    setCurrentIndex(std::max(findText(m_chosen), 0));
    Q_EMIT failed(text);
}

void TargetPicker::compileOn(
    std::shared_ptr<const Classifier> classifier, const ThresholdSet& set_, const QString& name)
{
    auto compiled = classifier->compile(set_);
    if (!compiled) {
        fail(QString::fromStdString(compiled.error().text()));
        return;
    }
    ops::QueryTarget target;
    target.name = name;
    target.classifier = std::move(classifier);
    target.thresholds = std::move(*compiled);
    set(std::move(target));
}

void TargetPicker::usePublished(const QString& pool)
{
    m_console->publishedThresholds()->active(
        pool, this, [this, pool](const Result<std::optional<ThresholdSet>>& active) {
            const auto classifier = m_console->classifier();
            if (!active || classifier == nullptr) {
                fail(active.ok() ? tr("The model is not loaded yet.")
                                 : QString::fromStdString(active.error().text()));
                return;
            }
            if (!*active) {
                fail(tr("No set is published to %1: its workers serve their model's own.")
                         .arg(pool));
                return;
            }
            compileOn(classifier, **active, tr("Embedded, thresholds of %1").arg(pool));
        });
}

void TargetPicker::useModel(const QString& file, const QString& name)
{
    using Loaded = std::shared_ptr<const Classifier>;
    m_console->jobs()->start<Loaded>(
        tr("Loading a model"), {},
        [file](JobControl&) -> Result<Loaded> {
            auto loaded =
                Classifier::load(file.toStdString(), resourceFile("entities.json"), cacheBytes);
            if (!loaded) {
                return loaded.error();
            }
            return Loaded(std::move(*loaded));
        },
        this,
        [this, name](Result<Loaded> loaded) {
            if (!loaded) {
                fail(QString::fromStdString(loaded.error().text()));
                return;
            }
            compileOn(*loaded, (*loaded)->model().defaultThresholds(), name);
        });
}

void TargetPicker::askForModel()
{
    const QString file =
        QFileDialog::getOpenFileName(this, tr("Model"), {}, tr("Models (*.model);;All files (*)"));
    if (file.isEmpty()) {
        setCurrentIndex(std::max(findText(m_chosen), 0));
        return;
    }
    useModel(file, tr("Model %1").arg(QFileInfo(file).fileName()));
}

void TargetPicker::askForThresholds()
{
    const auto classifier = m_target.isWorker() ? m_console->classifier() : m_target.classifier;
    const QString file = QFileDialog::getOpenFileName(
        this, tr("Threshold set"), {}, tr("Threshold sets (*.json);;All files (*)"));
    if (file.isEmpty() || classifier == nullptr) {
        setCurrentIndex(std::max(findText(m_chosen), 0));
        return;
    }
    auto text = readFile(file.toStdString(), std::size_t(16) << 20);
    if (!text) {
        fail(QString::fromStdString(text.error().text()));
        return;
    }
    const auto set = ThresholdSet::fromJson(*text, file.toStdString());
    if (!set) {
        fail(QString::fromStdString(set.error().text()));
        return;
    }
    compileOn(classifier, *set, tr("Embedded, %1").arg(QFileInfo(file).fileName()));
}

void TargetPicker::askForWorker()
{
    bool chosen = false;
    const QString address =
        QInputDialog::getText(this, tr("Worker"), tr("Its address, such as http://127.0.0.1:8080"),
            QLineEdit::Normal, QStringLiteral("http://"), &chosen);
    const QUrl url(address.trimmed());
    if (!chosen) {
        setCurrentIndex(std::max(findText(m_chosen), 0));
        return;
    }
    if (!url.isValid() || url.host().isEmpty()
        || !url.scheme().startsWith(QLatin1StringView("http"))) {
        fail(tr("%1 is no address of a worker: http://host:port is expected.").arg(address));
        return;
    }
    ops::QueryTarget target;
    target.name = tr("Worker %1").arg(addressOf(url));
    target.worker = url;
    set(target);
}

bool TargetPicker::selectWorker(const QUrl& url)
{
    for (const ops::WorkerEndpoint& worker : m_console->environment().workers) {
        if (worker.url == url) {
            take(findText(tr("Worker %1 %2").arg(worker.pool, addressOf(url))));
            return true;
        }
    }
    return false;
}

void TargetPicker::selectTarget(const ops::QueryTarget& target)
{
    set(target);
}

} // namespace sluice::ui

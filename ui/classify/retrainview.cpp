#include "ui/classify/retrainview.h"

#include "engine/base/resources.h"
#include "engine/classification/classifier.h"
#include "ui/classify/quiettable.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/text.h"

#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QListWidget>
#include <QProgressBar>
#include <QTableWidget>

namespace sluice::ui {

namespace {

enum ModelColumn
{
    When,
    Hash,
    TierColumn,
    Accuracy,
    DataHash,
    By,
    Note,
    ModelColumns
};

constexpr int fileRole = Qt::UserRole;
constexpr int hashRole = Qt::UserRole + 1;

QString points(double now, double before)
{
    return format::signedFixed((now - before) * 100, 1);
}

} // namespace

RetrainView::RetrainView(Console* console, ClassifySettings* settings, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_settings(settings)
    , m_banner(new InfoBanner(this))
{
    auto* above = new QHBoxLayout;
    above->setSpacing(12);
    above->addWidget(makeData(), 2);
    above->addWidget(makeResult(), 3);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(m_banner);
    layout->addLayout(above, 3);
    layout->addWidget(makeModels(), 2);
    addData(QString::fromStdString(resourceFile("queries.jsonl").string()));
    addData(QString::fromStdString(resourceFile("conversations.jsonl").string()));
    if (QFileInfo::exists(settings->dataFile())) {
        addData(settings->dataFile());
    }
    reload();
    showResult();
}

QWidget* RetrainView::makeData()
{
    auto* card = new Card(tr("Data"), tr("labelled; several files are put together"), this);
    m_data = new QListWidget(card);
    m_data->setAccessibleName(tr("Files to train on"));
    m_data->setFrameShape(QFrame::NoFrame);
    auto* add = new Button(tr("Add a file…"), ButtonRole::Plain, card);
    auto* take = new Button(tr("Take out"), ButtonRole::Plain, card);
    take->setToolTip(tr("The chosen file is not trained on; it stays where it is"));
    m_tier = new QComboBox(card);
    m_tier->setAccessibleName(tr("Tier"));
    m_tier->addItem(tr("fast: n-grams, microseconds a query"), int(Tier::Fast));
    m_tier->addItem(tr("accurate: and CNNs, tens of microseconds"), int(Tier::Accurate));
    m_train = new Button(tr("Train"), ButtonRole::Primary, card);
    m_cancel = new Button(tr("Stop"), ButtonRole::Danger, card);
    m_progress = new QProgressBar(card);
    m_progress->setAccessibleName(tr("Progress of the training"));
    m_progress->setRange(0, 1000);
    m_progress->setTextVisible(false);
    m_doing = new Text(FontRole::Base, Ink::Muted, {}, card);
    m_doing->setElided(true);
    m_cancel->hide();
    m_progress->hide();
    auto* files = new QHBoxLayout;
    files->addWidget(add);
    files->addWidget(take);
    files->addStretch();
    auto* row = new QHBoxLayout;
    row->addWidget(m_tier, 1);
    row->addWidget(m_cancel);
    row->addWidget(m_train);
    card->content()->addWidget(m_data, 1);
    card->content()->addLayout(files);
    card->content()->addWidget(m_progress);
    card->content()->addWidget(m_doing);
    card->content()->addLayout(row);
    connect(add, &Button::clicked, this, [this] {
        const QStringList chosen = QFileDialog::getOpenFileNames(this, tr("Labelled data"), {},
            tr("Labelled data (*.jsonl *.csv *.json);;All files (*)"));
        for (const QString& file : chosen) {
            addData(file);
        }
    });
    connect(take, &Button::clicked, this, [this] { delete m_data->currentItem(); });
    connect(m_train, &Button::clicked, this, &RetrainView::train);
    connect(m_cancel, &Button::clicked, this, &RetrainView::cancel);
    return card;
}

QWidget* RetrainView::makeResult()
{
    auto* card = new Card(
        tr("Beside the model in use"), tr("on rows that trained neither stopped it"), this);
    m_verdict = new Text(FontRole::Title, Ink::Text, {}, card);
    m_verdict->setWordWrap(true);
    m_scores = quietTable(tr("Scores of both models"), 4, card);
    m_scores->setHorizontalHeaderLabels({{}, tr("in use"), tr("new"), tr("change")});
    m_scores->horizontalHeader()->show();
    m_note = new QLineEdit(card);
    m_note->setAccessibleName(tr("Note on the model"));
    m_note->setPlaceholderText(tr("Why it was trained"));
    m_save = new Button(tr("Save to the models"), ButtonRole::Plain, card);
    auto* row = new QHBoxLayout;
    row->addWidget(m_note, 1);
    row->addWidget(m_save);
    card->content()->addWidget(m_verdict);
    card->content()->addWidget(m_scores, 1);
    card->content()->addLayout(row);
    connect(m_save, &Button::clicked, this, &RetrainView::save);
    return card;
}

QWidget* RetrainView::makeModels()
{
    auto* card =
        new Card(tr("Models"), tr("trained here; each can be chosen as who answers"), this);
    m_models = new QTableWidget(0, ModelColumns, card);
    dressTable(m_models, tr("Models"));
    m_models->setHorizontalHeaderLabels({tr("When"), tr("Model"), tr("Tier"),
        tr("Accuracy in scope"), tr("Data"), tr("By"), tr("Note")});
    m_models->horizontalHeader()->setStretchLastSection(true);
    auto* use = new Button(tr("Use in this console"), ButtonRole::Plain, card);
    use->setToolTip(tr("The embedded engine answers with it until the console ends"));
    auto* remove = new Button(tr("Delete…"), ButtonRole::Danger, card);
    auto* row = new QHBoxLayout;
    row->addStretch();
    row->addWidget(remove);
    row->addWidget(use);
    card->content()->addWidget(m_models, 1);
    card->content()->addLayout(row);
    connect(use, &Button::clicked, this, &RetrainView::useChosen);
    connect(remove, &Button::clicked, this, &RetrainView::removeChosen);
    return card;
}

void RetrainView::addData(const QString& file)
{
    if (files().contains(file)) {
        return;
    }
    auto* item = new QListWidgetItem(QFileInfo(file).fileName(), m_data);
    item->setData(fileRole, file);
    item->setToolTip(file);
}

QStringList RetrainView::files() const
{
    QStringList files;
    for (int row = 0; row < m_data->count(); ++row) {
        files << m_data->item(row)->data(fileRole).toString();
    }
    return files;
}

void RetrainView::train()
{
    const auto inUse = m_console->classifier();
    if (inUse == nullptr || m_job || files().isEmpty()) {
        m_banner->show(Tone::Warn,
            files().isEmpty() ? tr("Add a file to train on.")
                              : tr("A model is being loaded or trained."));
        return;
    }
    m_banner->dismiss();
    ops::RetrainOptions options;
    options.tier = Tier(m_tier->currentData().toInt());
    m_trainedOn = files();
    for (const QString& file : std::as_const(m_trainedOn)) {
        options.data.emplace_back(file.toStdString());
    }
    m_train->setEnabled(false);
    m_cancel->show();
    m_progress->setValue(0);
    m_progress->show();
    m_job = m_console->jobs()->start<ops::Retrained>(
        tr("Retraining"), QStringLiteral("retrain"),
        [options, inUse](JobControl& control) {
            return ops::retrain(
                options, inUse->model(),
                [&](double share, const QString& text) { control.progress(share, text); },
                control.cancelFlag());
        },
        this,
        [this](Result<ops::Retrained> result) {
            m_train->setEnabled(true);
            m_cancel->hide();
            m_progress->hide();
            m_doing->setText({});
            if (!result) {
                m_banner->show(result.error().kind == ErrorKind::Cancelled ? Tone::None : Tone::Bad,
                    QString::fromStdString(result.error().text()));
                return;
            }
            m_result = std::move(*result);
            showResult();
            m_console->notify(
                Tone::Ok, tr("Retrained: %1").arg(m_verdict->text()), QStringLiteral("classify"));
        });
    connect(m_job, &Job::progressed, this, [this](double share, const QString& text) {
        m_progress->setValue(int(share * 1000));
        m_doing->setText(text);
    });
}

void RetrainView::cancel()
{
    if (m_job) {
        m_job->cancel();
    }
}

void RetrainView::showResult()
{
    m_save->setEnabled(m_result.has_value());
    m_scores->setRowCount(0);
    if (!m_result) {
        m_verdict->setText(tr("Not trained yet: both models' scores appear here."));
        m_verdict->setInk(Ink::Muted);
        return;
    }
    if (m_result->heldOutRows == 0) {
        m_verdict->setText(tr("Trained on %1 rows. The data hold no test or calibration rows, so "
                              "nothing says whether it is better.")
                               .arg(format::count(double(m_result->rows))));
        m_verdict->setInk(Ink::Warn);
        return;
    }
    const Evaluation& now = m_result->now;
    const Evaluation& before = m_result->before;
    QList<std::tuple<QString, double, double>> rows{
        {tr("accuracy in scope"), before.accuracyInScope, now.accuracyInScope},
        {tr("accuracy at its threshold"), before.accuracyAtThreshold, now.accuracyAtThreshold},
        {tr("out of scope recognised"), before.outOfScopeRecall, now.outOfScopeRecall},
        {tr("out-of-scope AUROC"), before.outOfScopeAuroc, now.outOfScopeAuroc},
        {tr("accepted"), before.outcome.coverage(), now.outcome.coverage()},
        {tr("wrong among the accepted"), before.outcome.errorRate(), now.outcome.errorRate()},
        {tr("calibration error"), before.calibrationError, now.calibrationError}};
    if (m_result->talksNow.turns > 0) {
        rows.append({tr("turns of conversations right"), m_result->talksBefore.accuracyAll,
            m_result->talksNow.accuracyAll});
    }
    m_scores->setRowCount(int(rows.size()));
    for (int row = 0; row < m_scores->rowCount(); ++row) {
        const auto& [name, old, fresh] = rows[row];
        putCell(m_scores, row, 0, name);
        putCell(m_scores, row, 1, format::percent(old));
        putCell(m_scores, row, 2, format::percent(fresh));
        putCell(m_scores, row, 3, points(fresh, old));
    }
    const bool better = now.accuracyAtThreshold >= before.accuracyAtThreshold;
    QString text = tr("%1 points at its threshold on %2 held-out rows")
                       .arg(points(now.accuracyAtThreshold, before.accuracyAtThreshold),
                           format::count(double(m_result->heldOutRows)));
    if (m_result->sawTheSame) {
        text += tr(" · the model in use was trained on the same rows");
    }
    m_verdict->setText(text);
    m_verdict->setInk(better ? Ink::Ok : Ink::Bad);
}

void RetrainView::save()
{
    if (!m_result) {
        return;
    }
    ops::ModelEntry entry;
    entry.data = m_trainedOn;
    entry.note = m_note->text().trimmed();
    entry.author = m_console->user();
    if (m_result->heldOutRows > 0) {
        entry.scores = ops::scoresOf(m_result->now);
    }
    const auto added = ops::ModelList().add(*m_result->model, entry);
    if (!added) {
        m_banner->show(Tone::Bad, QString::fromStdString(added.error().text()));
        return;
    }
    m_banner->show(Tone::Ok, tr("Saved: %1").arg(added->file));
    ops::HistoryEntry done;
    done.kind = QStringLiteral("train");
    done.subject = added->note.isEmpty() ? added->hash.left(12)
                                         : QString(added->hash.left(12) % u' ' % added->note);
    done.outcome = QStringLiteral("done");
    done.details = {{QStringLiteral("file"), added->file}, {QStringLiteral("hash"), added->hash},
        {QStringLiteral("data_hash"), added->dataHash}, {QStringLiteral("scores"), added->scores}};
    m_console->record(done);
    m_note->clear();
    reload();
    Q_EMIT modelsChanged();
}

void RetrainView::reload()
{
    const auto entries = ops::ModelList().entries();
    if (!entries) {
        m_banner->show(Tone::Bad, QString::fromStdString(entries.error().text()));
        return;
    }
    m_models->setSortingEnabled(false);
    m_models->setRowCount(int(entries->size()));
    const QDateTime now = QDateTime::currentDateTimeUtc();
    for (int row = 0; row < m_models->rowCount(); ++row) {
        const ops::ModelEntry& entry = (*entries)[row];
        const QJsonValue accuracy = entry.scores[QLatin1StringView("accuracy_in_scope")];
        const QStringList texts{format::when(entry.at, now), format::shortHash(entry.hash),
            entry.tier,
            accuracy.isDouble() ? format::percent(accuracy.toDouble()) : format::missing(),
            format::shortHash(entry.dataHash), entry.author, entry.note};
        for (int column = 0; column < ModelColumns; ++column) {
            auto* item = new QTableWidgetItem(texts[column]);
            item->setToolTip(column == Hash ? entry.hash
                    : column == DataHash ? QString(entry.dataHash % u'\n' % entry.data.join(u'\n'))
                                         : texts[column]);
            item->setData(fileRole, entry.file);
            item->setData(hashRole, entry.hash);
            m_models->setItem(row, column, item);
        }
    }
    m_models->setSortingEnabled(true);
}

QString RetrainView::chosenModel(int role) const
{
    const QTableWidgetItem* item = m_models->item(m_models->currentRow(), 0);
    if (item == nullptr) {
        m_banner->show(Tone::None, tr("Choose a model of the list first."));
        return {};
    }
    return item->data(role).toString();
}

void RetrainView::useChosen()
{
    if (const QString file = chosenModel(fileRole); !file.isEmpty()) {
        m_console->loadClassifier(file);
    }
}

void RetrainView::removeChosen()
{
    const QString hash = chosenModel(hashRole);
    if (hash.isEmpty()) {
        return;
    }
    auto* dialog = new ConfirmDialog({tr("Delete model %1").arg(format::shortHash(hash)),
                                         tr("the file and its entry in the list"),
                                         tr("It can be trained again from the same data and seed."),
                                         tr("Delete the model"), true, {}, false, {}, {}},
        this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, hash] {
        if (const auto removed = ops::ModelList().remove(hash); !removed) {
            m_banner->show(Tone::Bad, QString::fromStdString(removed.error().text()));
        }
        reload();
        Q_EMIT modelsChanged();
    });
    dialog->open();
}

} // namespace sluice::ui

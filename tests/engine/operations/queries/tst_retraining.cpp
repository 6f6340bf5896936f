#include "engine/base/file.h"
#include "engine/operations/queries/retraining.h"
#include "tests/support/testcase.h"

#include <QFileInfo>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ops;

class TestRetraining : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void bothModelsAreJudgedOnHeldOutRows();
    void aStoppedOneLeavesNothing();
    void theListKeepsWhatIsKnown();

private:
    static Model inUse() { return *Model::load(SLUICE_BINARY_DIR "/share/sluice/helpdesk.model"); }
    static RetrainOptions options()
    {
        RetrainOptions options;
        options.data = {SLUICE_BINARY_DIR "/share/sluice/queries.jsonl"};
        return options;
    }
};

void TestRetraining::bothModelsAreJudgedOnHeldOutRows()
{
    double last = 0;
    const auto result = retrain(
        options(), inUse(),
        [&](double share, const QString& text) {
            QVERIFY(share >= last - 1e-9 && share <= 1);
            QVERIFY(!text.isEmpty());
            last = share;
        },
        nullptr);
    QVERIFY2(result.ok(), result.ok() ? "" : result.error().text().c_str());
    QVERIFY(last >= 0.9);
    QVERIFY(result->heldOut == Split::Test);
    QVERIFY(result->heldOutRows > 0);
    QCOMPARE(result->now.inScope + result->now.outOfScope, result->heldOutRows);
    QCOMPARE(result->before.inScope, result->now.inScope);
    QVERIFY(result->now.accuracyInScope > 0.5);
    QVERIFY(result->before.accuracyInScope > 0.5);
    QCOMPARE(scoresOf(result->now)[QLatin1StringView("accuracy_in_scope")].toDouble(),
        result->now.accuracyInScope);
}

void TestRetraining::aStoppedOneLeavesNothing()
{
    std::atomic<bool> stop = false;
    const auto result = retrain(
        options(), inUse(), [&](double, const QString&) { stop = true; }, &stop);
    QVERIFY(!result.ok() && result.error().kind == ErrorKind::Cancelled);
    RetrainOptions missing = options();
    missing.data = {"/nowhere/queries.jsonl"};
    const auto wrong = retrain(
        missing, inUse(), [](double, const QString&) {}, nullptr);
    QVERIFY(!wrong.ok() && wrong.error().kind == ErrorKind::Input);
}

void TestRetraining::theListKeepsWhatIsKnown()
{
    QTemporaryDir folder;
    const ModelList list(folder.filePath(QStringLiteral("models")));
    QVERIFY(list.entries().ok() && list.entries()->isEmpty());
    const Model model = inUse();
    ModelEntry entry;
    entry.note = QStringLiteral("more refunds");
    entry.author = QStringLiteral("ann");
    entry.data = {QStringLiteral("queries.jsonl")};
    entry.scores = {{QStringLiteral("accuracy_in_scope"), 0.9}};
    const auto added = list.add(model, entry);
    QVERIFY2(added.ok(), added.ok() ? "" : added.error().text().c_str());
    QCOMPARE(added->hash, QString::fromStdString(model.hash()));
    QCOMPARE(added->dataHash, QString::fromStdString(model.dataHash()));
    QVERIFY(QFileInfo::exists(added->file));
    QCOMPARE(QString::fromStdString(Model::load(added->file.toStdString())->hash()), added->hash);
    auto known = list.entries();
    QVERIFY(known.ok());
    QCOMPARE(*known, QList<ModelEntry>{*added});
    QVERIFY(list.add(model, *added).ok()); // the same model again: one entry
    QCOMPARE(list.entries()->size(), 1);
    QVERIFY(list.remove(added->hash).ok());
    QVERIFY(!QFileInfo::exists(added->file));
    QVERIFY(!list.remove(added->hash).ok());
    QVERIFY(writeFileAtomically(
        folder.filePath(QStringLiteral("models/models.json")).toStdString(), "{")
                .ok());
    QVERIFY(!list.entries().ok());
    QVERIFY(!list.add(model, entry).ok());
}

QTEST_GUILESS_MAIN(TestRetraining)
#include "tst_retraining.moc"

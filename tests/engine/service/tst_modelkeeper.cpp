#include "engine/service/modelkeeper.h"

#include "engine/base/file.h"
#include "engine/base/sha256.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "tests/engine/classification/model/toydata.h"
#include "tests/support/looprunner.h"
#include "tests/support/testcase.h"

#include <QTemporaryDir>

using namespace sluice;
using service::ModelKeeper;
using service::ModelSettings;
using test::runUntil;
namespace fs = std::filesystem;

class TestModelKeeper : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void loadsTheConfiguredOne();
    void uploadIsServedAndServedAgain();
    void badUploadIsRefused();
    void withoutAFolder();
    void oneAtATime();
    void damagedNote_data();
    void damagedNote();
    void uploadThatIsGone();
    void aNewConfiguredFileComesFirst();
    void servesAReplacedFile();

private:
    std::unique_ptr<ModelKeeper> make(bool withFolder = true, int watch = 0);
    Result<void> upload(ModelKeeper& keeper, const std::string& content, const std::string& hash);
    std::string loaded();
    fs::path path(const char* name) const
    {
        return m_folder->filePath(QString::fromLatin1(name)).toStdString();
    }

    QTemporaryDir m_models;
    std::array<std::string, 3> m_content; ///< of three small models
    std::array<std::string, 3> m_hash;
    std::unique_ptr<QTemporaryDir> m_folder;
    boost::asio::io_context m_loop;
    boost::asio::thread_pool m_background{1};
    std::vector<std::string> m_served; ///< hashes, in order
};

void TestModelKeeper::initTestCase()
{
    for (std::size_t index = 0; index < m_content.size(); ++index) {
        LabelledData data;
        for (const char* text : {"where is my parcel", "track my parcel please", "parcel where"}) {
            data.queries.push_back(test::row(text, "track"));
        }
        for (const char* text : {"money back", "refund please", "I want a refund"}) {
            data.queries.push_back(test::row(text, fmt::format("refund{}", index)));
        }
        const auto model = Model::train(data, {});
        QVERIFY2(model.ok(), model ? "" : model.error().message.c_str());
        const fs::path file = m_models.filePath(QStringLiteral("m")).toStdString();
        QVERIFY(model->save(file).ok());
        m_content[index] = *readFile(file);
        m_hash[index] = sha256Hex(m_content[index]);
    }
    QVERIFY(m_hash[0] != m_hash[1]);
}

void TestModelKeeper::init()
{
    failOnWarnings();
    m_folder = std::make_unique<QTemporaryDir>();
    m_served.clear();
    m_loop.restart();
    QVERIFY(writeFileAtomically(path("configured.model"), m_content[0]).ok());
}

std::unique_ptr<ModelKeeper> TestModelKeeper::make(bool withFolder, int watch)
{
    ModelSettings settings;
    settings.file = path("configured.model").string();
    settings.catalogue = "none";
    settings.watch = std::chrono::seconds(watch);
    settings.stateFolder = withFolder ? path("state").string() : "";
    return std::make_unique<ModelKeeper>(
        m_loop, m_background, settings, "blue", [this](const ModelKeeper::ClassifierPointer& one) {
            m_served.push_back(one->model().hash());
        });
}

Result<void> TestModelKeeper::upload(
    ModelKeeper& keeper, const std::string& content, const std::string& hash)
{
    std::optional<Result<void>> done;
    keeper.upload(std::make_shared<const std::string>(content), hash,
        [&](Result<void> result) { done = std::move(result); });
    return runUntil(m_loop, [&] { return done.has_value(); }) ? *done : internalError("no answer");
}

/// What a worker that starts now serves.
std::string TestModelKeeper::loaded()
{
    const auto keeper = make();
    const auto model = keeper->load();
    return model ? (*model)->model().hash() : model.error().text();
}

void TestModelKeeper::loadsTheConfiguredOne()
{
    const auto keeper = make();
    const auto model = keeper->load();
    QVERIFY(model.ok());
    QCOMPARE((*model)->model().hash(), m_hash[0]);
    QCOMPARE(keeper->file(), path("configured.model").string());
    QVERIFY(writeFileAtomically(path("configured.model"), "no model").ok());
    const auto bad = make()->load();
    QVERIFY(!bad.ok());
    QVERIFY(bad.error().text().find("configured.model") != std::string::npos);
}

void TestModelKeeper::uploadIsServedAndServedAgain()
{
    const auto keeper = make();
    QVERIFY(keeper->load().ok());
    QVERIFY(upload(*keeper, m_content[1], m_hash[1]).ok());
    QVERIFY(m_served == (std::vector{m_hash[1]}));
    QCOMPARE(keeper->file(), (path("state") / (m_hash[1] + ".model")).string());
    QCOMPARE(keeper->counts().served, 1U);
    QCOMPARE(loaded(), m_hash[1]);
    QVERIFY(upload(*keeper, m_content[2], m_hash[2]).ok());
    QCOMPARE(loaded(), m_hash[2]);
    QVERIFY(upload(*keeper, m_content[1], m_hash[1]).ok()); // and back
    QCOMPARE(loaded(), m_hash[1]);
}

void TestModelKeeper::badUploadIsRefused()
{
    const auto keeper = make();
    QVERIFY(keeper->load().ok());
    const auto other = upload(*keeper, m_content[1], m_hash[2]);
    QVERIFY(!other.ok());
    QVERIFY(other.error().message.find(m_hash[1]) != std::string::npos);
    std::string damaged = m_content[1];
    damaged[damaged.size() / 2] = char(damaged[damaged.size() / 2] ^ 1);
    for (const std::string& content : {std::string("no model"), std::string(), damaged,
             m_content[1].substr(0, m_content[1].size() / 2)}) {
        const auto bad = upload(*keeper, content, sha256Hex(content));
        QVERIFY(!bad.ok());
        QVERIFY(bad.error().kind == ErrorKind::Input);
    }
    QVERIFY(m_served.empty());
    QCOMPARE(keeper->counts().refused, 5U);
    QCOMPARE(keeper->file(), path("configured.model").string());
    QVERIFY(fs::is_empty(path("state"))); // nothing of it is left
    QCOMPARE(loaded(), m_hash[0]);
}

void TestModelKeeper::withoutAFolder()
{
    const auto keeper = make(false);
    QVERIFY(keeper->load().ok());
    const auto refused = upload(*keeper, m_content[1], m_hash[1]);
    QVERIFY(refused.error().kind == ErrorKind::Refused);
    QVERIFY(refused.error().message.find("model.state_folder") != std::string::npos);
}

void TestModelKeeper::oneAtATime()
{
    const auto keeper = make();
    QVERIFY(keeper->load().ok());
    std::vector<bool> done;
    const auto note = [&done](const Result<void>& result) { done.push_back(result.ok()); };
    keeper->upload(std::make_shared<const std::string>(m_content[1]), m_hash[1], note);
    keeper->upload(std::make_shared<const std::string>(m_content[2]), m_hash[2], note);
    QVERIFY(done == std::vector{false}); // the second one, at once
    QVERIFY(runUntil(m_loop, [&] { return done.size() == 2; }));
    QVERIFY(done[1]);
    QVERIFY(m_served == (std::vector{m_hash[1]}));
}

void TestModelKeeper::damagedNote_data()
{
    QTest::addColumn<QByteArray>("note");
    QTest::newRow("no JSON") << QByteArray("{");
    QTest::newRow("a member is missing") << QByteArray(R"({"model":"x"})");
}

void TestModelKeeper::damagedNote()
{
    QFETCH(QByteArray, note);
    const auto keeper = make();
    QVERIFY(keeper->load().ok());
    QVERIFY(upload(*keeper, m_content[1], m_hash[1]).ok());
    QVERIFY(writeFileAtomically(path("state") / "current-blue.json", note.toStdString()).ok());
    QCOMPARE(loaded(), m_hash[0]);
}

void TestModelKeeper::uploadThatIsGone()
{
    const auto keeper = make();
    QVERIFY(keeper->load().ok());
    QVERIFY(upload(*keeper, m_content[1], m_hash[1]).ok());
    fs::remove(path("state") / (m_hash[1] + ".model"));
    QCOMPARE(loaded(), m_hash[0]);
}

void TestModelKeeper::aNewConfiguredFileComesFirst()
{
    const auto keeper = make();
    QVERIFY(keeper->load().ok());
    QVERIFY(upload(*keeper, m_content[1], m_hash[1]).ok());
    QVERIFY(writeFileAtomically(path("configured.model"), m_content[2]).ok());
    QCOMPARE(loaded(), m_hash[2]);
}

void TestModelKeeper::servesAReplacedFile()
{
    const auto keeper = make(true, 1);
    QVERIFY(keeper->load().ok());
    keeper->watch();
    QVERIFY(writeFileAtomically(path("configured.model"), "no model").ok());
    QVERIFY(runUntil(m_loop, [&] { return keeper->counts().refused == 1; }));
    QVERIFY(m_served.empty()); // the one before stays
    QVERIFY(writeFileAtomically(path("configured.model"), m_content[1]).ok());
    QVERIFY(runUntil(m_loop, [&] { return m_served.size() == 1; }));
    QCOMPARE(m_served[0], m_hash[1]);
    QCOMPARE(keeper->counts().refused, 1U); // a bad file is said once
}

QTEST_GUILESS_MAIN(TestModelKeeper)
#include "tst_modelkeeper.moc"

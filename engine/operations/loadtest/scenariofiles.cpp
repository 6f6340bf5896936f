#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/resources.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "engine/operations/environment/environment.h"
#include "engine/operations/loadtest/scenario.h"

#include <QDir>
#include <QFileInfo>
#include <QHash>
#include <cmath>
#include <numeric>
#include <random>

namespace sluice::ops {

namespace {

constexpr std::size_t maxTrafficBytes = std::size_t(256) << 20;

QString text(std::string_view from)
{
    return QString::fromUtf8(from.data(), qsizetype(from.size()));
}

Result<QList<Conversation>> labelled(const std::filesystem::path& file, const QString& split)
{
    const auto data = readLabelledData(file);
    if (!data) {
        return data.error();
    }
    std::vector<LabelledQuery> rows = data->queries;
    if (!split.isEmpty()) {
        const auto part = splitFromString(split.toStdString());
        if (!part) {
            return part.error();
        }
        rows = data->part(*part);
    }
    QList<Conversation> conversations;
    int dialogue = -1;
    for (const LabelledQuery& row : rows) {
        if (row.dialogue < 0 || row.dialogue != dialogue) {
            conversations << Conversation{};
        }
        dialogue = row.dialogue;
        ScriptTurn turn{text(row.text), text(row.system), {}};
        for (const std::string& act : row.systemActs) {
            turn.systemActs << text(act);
        }
        conversations.back().turns << turn;
    }
    return conversations;
}

/// Rows of one session become its conversation, in their order.
Result<QList<Conversation>> traffic(const std::string& file)
{
    const auto bytes = readFile(file, maxTrafficBytes);
    if (!bytes) {
        return bytes.error();
    }
    QList<Conversation> conversations;
    QHash<QString, qsizetype> places;
    std::string_view rest = *bytes;
    for (int number = 1; !rest.empty(); ++number) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
            continue;
        }
        const std::string where = file + ", line " + std::to_string(number);
        const auto value = parseJson(line, where);
        if (!value) {
            return value.error();
        }
        JsonReader in(*value, where);
        const auto query = in.optionalString("query");
        const auto spoken = query ? query : in.optionalString("text");
        const QString session = text(in.optionalString("session").value_or(""));
        if (const auto done = in.finishKnown(); !done) {
            return done.error();
        }
        if (!spoken || spoken->empty()) {
            return inputError(where + ": has neither \"query\" nor \"text\"");
        }
        const ScriptTurn turn{text(*spoken), {}, {}};
        const auto known = places.constFind(session);
        if (session.isEmpty() || known == places.constEnd()) {
            places.insert(session, conversations.size());
            conversations << Conversation{{turn}, 1};
        } else {
            conversations[*known].turns << turn;
        }
    }
    return conversations;
}

Result<QList<Conversation>> read(const QueryChoice& queries)
{
    switch (queries.source) {
    case QuerySource::Conversations:
        return labelled(resourceFile("conversations.jsonl"), {});
    case QuerySource::File:
        return labelled(queries.file.toStdString(), queries.split);
    case QuerySource::Traffic:
        return traffic(queries.file.toStdString());
    case QuerySource::Texts: {
        QList<Conversation> conversations;
        for (const QString& query : queries.texts) {
            conversations << Conversation{{{query, {}, {}}}, 1};
        }
        return conversations;
    }
    case QuerySource::Bundled:
        break;
    }
    return labelled(resourceFile("queries.jsonl"), QStringLiteral("test"));
}

/// So many of them: numbered repeats where there are too few.
void makeDistinct(QList<Conversation>& conversations, int distinct)
{
    const qsizetype given = conversations.size();
    conversations.reserve(distinct);
    for (qsizetype index = given; index < distinct; ++index) {
        Conversation repeat = conversations[index % given];
        for (ScriptTurn& turn : repeat.turns) {
            turn.text += QStringLiteral(" %1").arg(index);
        }
        conversations << repeat;
    }
    conversations.resize(distinct);
}

} // namespace

Result<QList<Conversation>> resolveConversations(const Scenario& scenario, quint64 seed)
{
    if (!scenario.conversations.isEmpty()) {
        return scenario.conversations;
    }
    auto conversations = read(scenario.queries);
    if (!conversations) {
        return conversations;
    }
    if (conversations->isEmpty()) {
        return inputError("the scenario \"" + scenario.name.toStdString()
            + "\" finds no queries in " + scenario.queries.file.toStdString());
    }
    std::mt19937_64 random(seed);
    for (qsizetype at = conversations->size(); at > 1; --at) {
        conversations->swapItemsAt(at - 1, qsizetype(random() % quint64(at)));
    }
    if (scenario.queries.distinct > 0) {
        makeDistinct(*conversations, scenario.queries.distinct);
    }
    if (scenario.queries.zipf > 0) {
        for (qsizetype rank = 0; rank < conversations->size(); ++rank) {
            (*conversations)[rank].weight = std::pow(double(rank + 1), -scenario.queries.zipf);
        }
    }
    return conversations;
}

QString scenarioFolder()
{
    return EnvironmentStore::defaultFolder() + QStringLiteral("/scenarios");
}

namespace {

QString bundledFolder()
{
    return QString::fromStdString(resourceFile("scenarios").string());
}

} // namespace

QStringList scenarioNames()
{
    QStringList names;
    for (const QString& folder : {bundledFolder(), scenarioFolder()}) {
        const auto files =
            QDir(folder).entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name);
        for (const QString& file : files) {
            if (const QString name = QFileInfo(file).completeBaseName(); !names.contains(name)) {
                names << name;
            }
        }
    }
    return names;
}

Result<Scenario> loadScenario(const QString& nameOrFile)
{
    QString path = nameOrFile;
    if (!nameOrFile.contains(u'/') && !QFileInfo::exists(path)) {
        path = bundledFolder() + QStringLiteral("/%1.json").arg(nameOrFile);
        if (!QFileInfo::exists(path)) {
            path = scenarioFolder() + QStringLiteral("/%1.json").arg(nameOrFile);
        }
    }
    const auto bytes = readFile(path.toStdString(), std::size_t(64) << 20);
    if (!bytes) {
        return inputError("there is no scenario \"" + nameOrFile.toStdString()
                + "\": give a file, or one of "
                + scenarioNames().join(QStringLiteral(", ")).toStdString(),
            bytes.error().text());
    }
    return Scenario::fromJson(QByteArray::fromStdString(*bytes), path);
}

} // namespace sluice::ops

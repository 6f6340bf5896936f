#pragma once

#include "engine/base/file.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "engine/classification/model/trainingdata.h"

#include <fmt/format.h>
#include <random>
#include <set>
#include <string>
#include <vector>

/// Small synthetic data for the model's tests.
namespace sluice::test {

inline LabelledQuery row(std::string text, std::string intent, Split split = Split::Train)
{
    LabelledQuery query;
    query.text = std::move(text);
    query.intent = std::move(intent);
    query.split = split;
    return query;
}

inline LabelledQuery turn(int dialogue, int number, std::string text, std::string intent,
    std::string system = {}, std::vector<std::string> acts = {}, Split split = Split::Train)
{
    LabelledQuery query = row(std::move(text), std::move(intent), split);
    query.dialogue = dialogue;
    query.turn = number;
    query.system = std::move(system);
    query.systemActs = std::move(acts);
    return query;
}

/// A task that only word vectors solve: each of four intents has words of its own that are near
/// each other, half of them in the test part alone.
class SynonymTask
{
public:
    static constexpr int dimension = 12;

    SynonymTask()
        : m_random(7)
    {
        // The two strongest components are taken off the vectors: fillers carry them.
        for (int index = 0; index < 120; ++index) {
            const std::string word = add(-1);
            if (index < 12) {
                m_fillers.push_back(word);
            }
        }
        for (int intent = 0; intent < 4; ++intent) {
            std::vector<std::string> words;
            for (int index = 0; index < 16; ++index) {
                words.push_back(add(intent));
            }
            for (int index = 0; index < 56; ++index) {
                const bool held = index >= 40;
                data.queries.push_back(row(sentence(words[std::size_t(index % 8)]),
                    "intent" + std::to_string(intent), held ? Split::Validation : Split::Train));
            }
            for (int index = 8; index < 16; ++index) {
                data.queries.push_back(row(sentence(words[std::size_t(index)]),
                    "intent" + std::to_string(intent), Split::Test));
            }
        }
        for (int index = 0; index < 12; ++index) {
            data.queries.push_back(row("zzz" + add(-1), std::string(outOfScope), Split::Train));
        }
    }

    LabelledData data;
    std::string vectors; ///< GloVe text

private:
    std::string add(int intent)
    {
        std::string word;
        do {
            word.clear();
            for (int index = 0; index < 8; ++index) {
                word.push_back(char('a' + m_random() % 26));
            }
        } while (!m_words.insert(word).second);
        vectors += word;
        for (int i = 0; i < dimension; ++i) {
            float value = 0.2F * (uniform(m_random) - 0.5F);
            if (intent < 0 && i < 2) {
                value = 8.0F * (uniform(m_random) - 0.5F);
            } else if (intent >= 0 && i == 2 + intent) {
                value += 1.0F;
            }
            vectors += fmt::format(" {:.5f}", double(value));
        }
        vectors += '\n';
        return word;
    }
    std::string sentence(const std::string& word)
    {
        const auto filler = [this] { return m_fillers[m_random() % m_fillers.size()]; };
        return filler() + ' ' + word + ' ' + filler();
    }

    std::mt19937_64 m_random;
    std::set<std::string> m_words;
    std::vector<std::string> m_fillers;
};

/// Conversations whose second turn says nothing by itself: "yes" means what the first turn was
/// about; "four two" is what the system asked for.
inline LabelledData toyDialogues(int count)
{
    LabelledData data;
    for (int index = 0; index < count; ++index) {
        const Split split = index % 8 == 7 ? Split::Validation : Split::Train;
        const bool odd = index % 2 == 1;
        const std::string number = std::to_string(index % 10);
        const int dialogue = 2 * index;
        data.queries.push_back(turn(dialogue, 1, odd ? "cancel order " + number : "track " + number,
            odd ? "cancel" : "track", {}, {}, split));
        data.queries.push_back(turn(dialogue, 2, "yes", odd ? "cancel_sure" : "track_sure",
            "are you sure?", {"CONFIRM"}, split));
        data.queries.push_back(turn(dialogue + 1, 1, "hello", "greet", {}, {}, split));
        data.queries.push_back(turn(dialogue + 1, 2, "four two", odd ? "give_pin" : "give_town",
            odd ? "your pin please" : "which town", {odd ? "REQUEST:pin" : "REQUEST:town"}, split));
    }
    return data;
}

} // namespace sluice::test

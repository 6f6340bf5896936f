#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// How the raw logits become a confidence and an out-of-scope score.
struct Calibration
{
    double temperature = 1.0; ///< logits are divided by it before the softmax
    bool hasOutOfScope = false; ///< the weights below were fitted on real out-of-scope rows
    double bias = 0.0;
    double maxMinusMean = 0.0;
    double entropy = 0.0; ///< of the softmax at temperature 2, nats
    double unseenShare = 0.0;
};

/// What a model file says of itself, as JSON in its first section.
struct ModelMeta
{
    std::vector<std::string> labels;
    std::string dataHash;
    std::uint64_t seed = 0;
    int epochs = 0;
    double validationAccuracy = 0;
    Calibration calibration;
    double globalThreshold = 0.5;
    double margin = 0.05;
};

/// The numbers of a model: views into one block of memory laid out as the file is.
struct ModelView
{
    std::span<const std::uint64_t> keys; ///< open addressing, power of two; 0 is an empty place
    std::span<const std::uint32_t> rows; ///< row of the key in the same place
    std::span<const float> idf; ///< a row each
    std::span<const float> weights; ///< rows x stride
    std::span<const float> bias; ///< stride
    float highestIdf = 0; ///< of an n-gram that is in no training text
    std::size_t stride = 0; ///< labels rounded up to 16 (one cache line of floats)

    static constexpr std::uint32_t unknown = 0xFFFFFFFFU;
    std::uint32_t rowOf(std::uint64_t hash) const
    {
        const std::size_t mask = keys.size() - 1;
        const std::uint64_t key = hash == 0 ? 1 : hash;
        for (std::size_t place = std::size_t(key) & mask;; place = (place + 1) & mask) {
            if (keys[place] == key) {
                return rows[place];
            }
            if (keys[place] == 0) {
                return unknown;
            }
        }
    }
};

/// The bytes of a model file, mapped or built, checked, and the views into them. The layout is
/// documented in docs/FORMATS.md.
class ModelFile
{
public:
    static constexpr std::uint32_t version = 1;

    static Result<std::shared_ptr<const ModelFile>> map(const std::filesystem::path& file);
    static std::shared_ptr<const ModelFile> build(const ModelMeta& meta,
        std::span<const std::uint64_t> hashes, std::span<const float> idf,
        std::span<const float> weights, std::span<const float> bias);
    /// Checks a copy of the bytes; `where` begins the message of an error.
    static Result<std::shared_ptr<const ModelFile>> fromBytes(
        std::string_view bytes, std::string_view where);
    ~ModelFile();

    const ModelMeta& meta() const { return m_meta; }
    const ModelView& view() const { return m_view; }
    std::string_view bytes() const { return {m_data, m_size}; }
    const std::string& hash() const { return m_hash; }

private:
    ModelFile() = default;
    Result<void> read(std::string_view where);
    Result<void> readMeta(std::string_view text, std::string_view where);
    void allocate(std::size_t size);

    char* m_data = nullptr;
    std::size_t m_size = 0;
    bool m_mapped = false;
    std::string m_hash;
    ModelMeta m_meta;
    ModelView m_view;
};

} // namespace sluice

#include "engine/classification/model/modelfile.h"

#include "engine/base/json.h"
#include "engine/base/sha256.h"
#include "engine/classification/text/ngrams.h"

#include <algorithm>
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <new>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {

static_assert(std::endian::native == std::endian::little, "the model file is little-endian");

namespace {

constexpr char magic[8] = {'S', 'L', 'U', 'I', 'C', 'E', 'M', 'D'};
constexpr std::size_t alignment = 64;
constexpr std::size_t maxLabels = 65536;

struct Header
{
    char magic[8];
    std::uint32_t version;
    std::uint32_t sections;
    std::uint64_t size;
    std::uint64_t checksum; ///< of everything after the header
    std::uint64_t stride;
    std::uint64_t reserved[3];
};
static_assert(sizeof(Header) == alignment);

struct Section
{
    std::uint64_t offset;
    std::uint64_t size; ///< bytes
};

enum SectionId
{
    MetaSection,
    KeySection,
    RowSection,
    IdfSection,
    WeightSection,
    BiasSection,
    sectionCount
};

std::size_t aligned(std::size_t size)
{
    return (size + alignment - 1) / alignment * alignment;
}

std::uint64_t checksumOf(const char* data, std::size_t size)
{
    return wordHash({data + sizeof(Header), size - sizeof(Header)});
}

std::string metaText(const ModelMeta& meta)
{
    const Calibration& c = meta.calibration;
    boost::json::array labels(meta.labels.begin(), meta.labels.end());
    return boost::json::serialize(boost::json::object{{"labels", std::move(labels)},
        {"data_hash", meta.dataHash}, {"seed", meta.seed}, {"epochs", meta.epochs},
        {"validation_accuracy", meta.validationAccuracy}, {"temperature", c.temperature},
        {"has_out_of_scope", c.hasOutOfScope}, {"oos_bias", c.bias},
        {"oos_max_minus_mean", c.maxMinusMean}, {"oos_entropy", c.entropy},
        {"oos_unseen_share", c.unseenShare}, {"threshold", meta.globalThreshold},
        {"margin", meta.margin}});
}

template <typename T> std::span<const T> spanOf(const char* data, const Section& section)
{
    return {reinterpret_cast<const T*>(data + section.offset), section.size / sizeof(T)};
}

} // namespace

ModelFile::~ModelFile()
{
    if (m_mapped) {
        ::munmap(m_data, m_size);
    } else if (m_data != nullptr) {
        ::operator delete(m_data, std::align_val_t(alignment));
    }
}

void ModelFile::allocate(std::size_t size)
{
    m_data = static_cast<char*>(::operator new(size, std::align_val_t(alignment)));
    std::memset(m_data, 0, size);
    m_size = size;
}

std::shared_ptr<const ModelFile> ModelFile::build(const ModelMeta& meta,
    std::span<const std::uint64_t> hashes, std::span<const float> idf,
    std::span<const float> weights, std::span<const float> bias)
{
    const std::string text = metaText(meta);
    const std::size_t places = std::bit_ceil(std::max<std::size_t>(hashes.size() * 2, 16));
    const std::size_t sizes[sectionCount] = {text.size(), places * sizeof(std::uint64_t),
        places * sizeof(std::uint32_t), idf.size_bytes(), weights.size_bytes(), bias.size_bytes()};
    Section sections[sectionCount];
    std::size_t end = sizeof(Header) + aligned(sizeof sections);
    for (int id = 0; id < sectionCount; ++id) {
        sections[id] = {end, sizes[id]};
        end += aligned(sizes[id]);
    }
    std::shared_ptr<ModelFile> file(new ModelFile);
    file->allocate(end);
    char* data = file->m_data;
    std::memcpy(data + sizeof(Header), sections, sizeof sections);
    std::copy(text.begin(), text.end(), data + sections[MetaSection].offset);
    auto* keys = reinterpret_cast<std::uint64_t*>(data + sections[KeySection].offset);
    auto* rows = reinterpret_cast<std::uint32_t*>(data + sections[RowSection].offset);
    for (std::size_t row = 0; row < hashes.size(); ++row) {
        const std::uint64_t key = hashes[row] == 0 ? 1 : hashes[row];
        std::size_t place = std::size_t(key) & (places - 1);
        while (keys[place] != 0) {
            place = (place + 1) & (places - 1);
        }
        keys[place] = key;
        rows[place] = std::uint32_t(row);
    }
    std::memcpy(data + sections[IdfSection].offset, idf.data(), idf.size_bytes());
    std::memcpy(data + sections[WeightSection].offset, weights.data(), weights.size_bytes());
    std::memcpy(data + sections[BiasSection].offset, bias.data(), bias.size_bytes());

    Header header{};
    std::memcpy(header.magic, magic, sizeof magic);
    header.version = version;
    header.sections = sectionCount;
    header.size = end;
    header.stride = bias.size();
    header.checksum = checksumOf(data, end);
    std::memcpy(data, &header, sizeof header);
    if (!file->read("the model just built")) {
        return nullptr;
    }
    return file;
}

Result<std::shared_ptr<const ModelFile>> ModelFile::fromBytes(
    std::string_view bytes, std::string_view where)
{
    std::shared_ptr<ModelFile> file(new ModelFile);
    file->allocate(std::max(bytes.size(), sizeof(Header)));
    std::memcpy(file->m_data, bytes.data(), bytes.size());
    file->m_size = bytes.size();
    if (auto read = file->read(where); !read) {
        return read.error();
    }
    return std::shared_ptr<const ModelFile>(std::move(file));
}

Result<std::shared_ptr<const ModelFile>> ModelFile::map(const std::filesystem::path& path)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const auto reason = [] { return std::error_code(errno, std::generic_category()).message(); };
    if (fd < 0) {
        return inputError("cannot read the model " + path.string(), reason());
    }
    struct stat info
    { };
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        ::close(fd);
        return inputError("cannot read the model " + path.string() + ": it is not a regular file");
    }
    if (info.st_size < off_t(sizeof(Header))) {
        ::close(fd);
        return inputError(path.string() + " is no Sluice model: it is only "
            + std::to_string(info.st_size) + " bytes long");
    }
    const auto size = std::size_t(info.st_size);
    void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    const std::string mapError = memory == MAP_FAILED ? reason() : std::string();
    ::close(fd);
    if (memory == MAP_FAILED) {
        return inputError("cannot map the model " + path.string(), mapError);
    }
    std::shared_ptr<ModelFile> file(new ModelFile);
    file->m_data = static_cast<char*>(memory);
    file->m_size = size;
    file->m_mapped = true;
    if (auto read = file->read(path.string()); !read) {
        return read.error();
    }
    return std::shared_ptr<const ModelFile>(std::move(file));
}

Result<void> ModelFile::read(std::string_view where)
{
    Header header{};
    if (m_size >= sizeof(Header)) {
        std::memcpy(&header, m_data, sizeof header);
    }
    if (std::memcmp(header.magic, magic, sizeof magic) != 0) {
        return inputError(
            fmt::format("{} is no Sluice model: it does not begin as one does", where));
    }
    if (header.version != version) {
        return inputError(fmt::format("{} is a model of format version {}; this program reads "
                                      "version {}: train it again with this program's sluicectl",
            where, header.version, version));
    }
    if (header.size != m_size) {
        return inputError(fmt::format(
            "{} is truncated or was added to: it has {} bytes and should have {}; copy it again",
            where, m_size, header.size));
    }
    if (header.checksum != checksumOf(m_data, m_size)) {
        return inputError(fmt::format(
            "{} is damaged: its checksum does not match; copy or train it again", where));
    }
    const auto damaged = [&](std::string_view what) {
        return inputError(fmt::format("{} is damaged: {}; copy or train it again", where, what));
    };
    Section sections[sectionCount];
    if (header.sections != sectionCount || m_size < sizeof(Header) + sizeof sections) {
        return damaged("its section table is wrong");
    }
    std::memcpy(sections, m_data + sizeof(Header), sizeof sections);
    for (const Section& section : sections) {
        if (section.offset % alignment != 0 || section.offset > m_size
            || section.size > m_size - section.offset) {
            return damaged("a section lies outside the file");
        }
    }
    if (auto meta =
            readMeta({m_data + sections[MetaSection].offset, sections[MetaSection].size}, where);
        !meta) {
        return meta;
    }
    m_view.keys = spanOf<std::uint64_t>(m_data, sections[KeySection]);
    m_view.rows = spanOf<std::uint32_t>(m_data, sections[RowSection]);
    m_view.idf = spanOf<float>(m_data, sections[IdfSection]);
    m_view.weights = spanOf<float>(m_data, sections[WeightSection]);
    m_view.bias = spanOf<float>(m_data, sections[BiasSection]);
    m_view.highestIdf =
        m_view.idf.empty() ? 0.0F : *std::max_element(m_view.idf.begin(), m_view.idf.end());
    m_view.stride = std::size_t(header.stride);
    const std::size_t rows = m_view.idf.size();
    if (m_view.stride % 16 != 0 || m_view.stride < m_meta.labels.size()
        || m_view.stride > maxLabels + 16 || m_view.bias.size() != m_view.stride
        || m_view.weights.size() != rows * m_view.stride) {
        return damaged("its weights do not fit its labels");
    }
    if (!std::has_single_bit(m_view.keys.size()) || m_view.keys.size() != m_view.rows.size()) {
        return damaged("its dictionary has an impossible size");
    }
    std::size_t used = 0;
    for (std::size_t place = 0; place < m_view.keys.size(); ++place) {
        if (m_view.keys[place] != 0) {
            ++used;
            if (m_view.rows[place] >= rows) {
                return damaged("its dictionary points outside the weights");
            }
        }
    }
    if (used == m_view.keys.size()) {
        return damaged("its dictionary is full"); // a look-up of an unknown key would never end
    }
    m_hash = sha256Hex(bytes());
    return {};
}

Result<void> ModelFile::readMeta(std::string_view text, std::string_view where)
{
    auto value = parseJson(text, where);
    if (!value) {
        return value.error();
    }
    JsonReader in(*value, std::string(where));
    m_meta.labels = in.optionalStrings("labels");
    m_meta.dataHash = in.string("data_hash");
    m_meta.seed = std::uint64_t(in.integer("seed", 0, INT64_MAX));
    m_meta.epochs = int(in.integer("epochs", 0, 1000000));
    m_meta.validationAccuracy = in.number("validation_accuracy", 0, 1);
    Calibration& c = m_meta.calibration;
    c.temperature = in.number("temperature", 1e-3, 1e3);
    c.hasOutOfScope = in.boolean("has_out_of_scope");
    c.bias = in.number("oos_bias", -1e6, 1e6);
    c.maxMinusMean = in.number("oos_max_minus_mean", -1e6, 1e6);
    c.entropy = in.number("oos_entropy", -1e6, 1e6);
    c.unseenShare = in.number("oos_unseen_share", -1e6, 1e6);
    m_meta.globalThreshold = in.number("threshold", 0, 1);
    m_meta.margin = in.number("margin", 0, 1);
    if (m_meta.labels.size() < 2 || m_meta.labels.size() > maxLabels
        || !std::is_sorted(m_meta.labels.begin(), m_meta.labels.end())) {
        in.fail("labels", "two or more sorted names are expected");
    }
    return in.finish();
}

} // namespace sluice

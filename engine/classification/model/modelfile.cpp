#include "engine/classification/model/modelfile.h"

#include "engine/base/sha256.h"
#include "engine/classification/model/byterows.h"
#include "engine/classification/model/modelmeta.h"
#include "engine/classification/model/vectormath.h"
#include "engine/classification/text/ngrams.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <future>
#include <initializer_list>
#include <map>
#include <new>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {

static_assert(std::endian::native == std::endian::little, "the model file is little-endian");

namespace {

constexpr char magic[8] = {'S', 'L', 'U', 'I', 'C', 'E', 'M', 'D'};
constexpr std::size_t alignment = 64;
constexpr std::size_t maxSections = 256;

struct Header
{
    char magic[8];
    std::uint32_t version;
    std::uint32_t sections;
    std::uint64_t size;
    std::uint64_t checksum; ///< of everything after the header
    std::uint64_t reserved[4];
};
static_assert(sizeof(Header) == alignment);

enum class SectionId : std::uint32_t
{
    Meta,
    NgramKeys,
    NgramRows,
    Idf,
    Weights,
    WeightScales,
    Bias,
    ClassBits,
    Dense,
    DenseScales,
    WordKeys,
    WordRows,
    WordVectors,
    WordScales,
    WordWeights,
    Tables,
    TableScales,
    Kernels,
    KernelBias,
    Outputs,
    OutputScales,
    OutputBias,
    Context,
    ContextScales,
};

struct Section
{
    SectionId id;
    std::uint32_t member; ///< which CNN; 0 elsewhere
    std::uint64_t offset;
    std::uint64_t size; ///< bytes
};
static_assert(sizeof(Section) == 24);

std::size_t aligned(std::size_t size)
{
    return (size + alignment - 1) / alignment * alignment;
}

std::uint64_t checksumOf(const char* data, std::size_t size)
{
    return wordHash({data + sizeof(Header), size - sizeof(Header)});
}

/// Collects sections with copies of their bytes, then lays them out.
class Layout
{
public:
    template <typename T>
    void add(SectionId id, std::span<const T> values, std::uint32_t member = 0)
    {
        const auto* const bytes = reinterpret_cast<const char*>(values.data());
        m_contents.emplace_back(bytes, bytes + values.size_bytes());
        m_sections.push_back({id, member, 0, values.size_bytes()});
    }
    template <typename T>
    void add(SectionId id, const std::vector<T>& values, std::uint32_t member = 0)
    {
        add(id, std::span<const T>(values), member);
    }
    void addRounded(SectionId bytes, SectionId scales, std::span<const float> values,
        std::size_t width, std::uint32_t member = 0)
    {
        const ByteRows rows = ByteRows::from(values, width);
        add(bytes, rows.bytes, member);
        add(scales, rows.scales, member);
    }
    void addIndex(SectionId keys, SectionId rows, std::span<const std::uint64_t> hashes)
    {
        const HashTable table(hashes);
        add(keys, table.keys);
        add(rows, table.rows);
    }

    std::size_t size()
    {
        std::size_t end = sizeof(Header) + aligned(m_sections.size() * sizeof(Section));
        for (Section& section : m_sections) {
            section.offset = end;
            end += aligned(section.size);
        }
        return end;
    }

    /// `data` is zeroed and has size() bytes.
    void write(char* data, std::size_t size) const
    {
        std::memcpy(data + sizeof(Header), m_sections.data(), m_sections.size() * sizeof(Section));
        for (std::size_t index = 0; index < m_sections.size(); ++index) {
            std::copy(m_contents[index].begin(), m_contents[index].end(),
                data + m_sections[index].offset);
        }
        Header header{};
        std::copy(std::begin(magic), std::end(magic), header.magic);
        header.version = ModelFile::version;
        header.sections = std::uint32_t(m_sections.size());
        header.size = size;
        header.checksum = checksumOf(data, size);
        std::memcpy(data, &header, sizeof header);
    }

private:
    std::vector<Section> m_sections;
    std::vector<std::vector<char>> m_contents;
};

/// The sections of a checked table, by id and member.
class Sections
{
public:
    Sections(const char* data, std::span<const Section> sections)
        : m_data(data)
    {
        for (const Section& section : sections) {
            m_sections[{section.id, section.member}] = section;
        }
    }

    template <typename T> std::span<const T> get(SectionId id, std::size_t member = 0) const
    {
        const auto found = m_sections.find({id, std::uint32_t(member)});
        if (found == m_sections.end()) {
            return {};
        }
        return {reinterpret_cast<const T*>(m_data + found->second.offset),
            found->second.size / sizeof(T)};
    }
    HashIndex index(SectionId keys, SectionId rows) const
    {
        return {get<std::uint64_t>(keys), get<std::uint32_t>(rows)};
    }

private:
    const char* m_data;
    std::map<std::pair<SectionId, std::uint32_t>, Section> m_sections;
};

LinearView linearOf(const Sections& sections, const ModelMeta& meta)
{
    LinearView view;
    view.index = sections.index(SectionId::NgramKeys, SectionId::NgramRows);
    view.idf = sections.get<float>(SectionId::Idf);
    view.weights = sections.get<std::int8_t>(SectionId::Weights);
    view.scales = sections.get<float>(SectionId::WeightScales);
    view.bias = sections.get<float>(SectionId::Bias);
    view.classBits = sections.get<std::uint8_t>(SectionId::ClassBits);
    view.dense = sections.get<std::int8_t>(SectionId::Dense);
    view.denseScales = sections.get<float>(SectionId::DenseScales);
    view.wordRows = meta.wordRows;
    view.pairRows = meta.pairRows;
    view.contextRows = meta.contextRows;
    view.stride = strideOf(meta.labels.size());
    view.highestIdf = view.idf.empty() ? 0.0F : *std::max_element(view.idf.begin(), view.idf.end());
    return view;
}

WordView wordsOf(const Sections& sections, const ModelMeta& meta)
{
    WordView view;
    view.index = sections.index(SectionId::WordKeys, SectionId::WordRows);
    view.vectors = sections.get<std::int8_t>(SectionId::WordVectors);
    view.scales = sections.get<float>(SectionId::WordScales);
    view.weights = sections.get<float>(SectionId::WordWeights);
    view.dimension = meta.shape.dimension;
    view.tableRows = meta.tableRows;
    return view;
}

CnnView cnnOf(const Sections& sections, const ModelMeta& meta, std::size_t member)
{
    CnnView view;
    view.shape = meta.shape;
    view.tables = sections.get<std::int8_t>(SectionId::Tables, member);
    view.tableScales = sections.get<float>(SectionId::TableScales, member);
    view.kernels = sections.get<float>(SectionId::Kernels, member);
    view.bias = sections.get<float>(SectionId::KernelBias, member);
    view.outputs = sections.get<std::int8_t>(SectionId::Outputs, member);
    view.outputScales = sections.get<float>(SectionId::OutputScales, member);
    view.outputBias = sections.get<float>(SectionId::OutputBias, member);
    view.context = sections.get<std::int8_t>(SectionId::Context, member);
    view.contextScales = sections.get<float>(SectionId::ContextScales, member);
    return view;
}

void roundKernels(CnnView& cnn)
{
    cnn.kernelBytes.resize(cnn.kernels.size());
    cnn.kernelScales.resize(cnn.shape.columns());
    math::roundColumns(cnn.kernelBytes.data(), cnn.kernelScales.data(), cnn.kernels.data(),
        cnn.shape.dimension, cnn.shape.columns());
}

/// What is wrong with an index over `rows` rows; empty: nothing.
std::string_view problemOf(const HashIndex& index, std::size_t rows)
{
    if (!std::has_single_bit(index.keys.size()) || index.keys.size() != index.rows.size()) {
        return "a dictionary has an impossible size";
    }
    bool empty = false;
    for (std::size_t place = 0; place < index.keys.size(); ++place) {
        if (index.keys[place] == 0) {
            empty = true;
        } else if (index.rows[place] >= rows) {
            return "a dictionary points outside its rows";
        }
    }
    // A look-up of an unknown key would never end.
    return empty ? std::string_view() : "a dictionary is full";
}

/// A scale that is no number would spoil every score it meets.
bool isFinite(std::initializer_list<std::span<const float>> parts)
{
    return std::all_of(parts.begin(), parts.end(), [](std::span<const float> part) {
        return std::all_of(
            part.begin(), part.end(), [](float value) { return std::isfinite(value); });
    });
}
constexpr std::string_view notFinite = "one of its numbers is not finite";

std::string_view problemOf(const LinearView& view)
{
    const std::size_t rows = view.idf.size();
    const std::size_t known = view.wordRows + view.pairRows;
    if (view.bias.size() != view.stride || view.weights.size() != rows * view.stride
        || view.scales.size() != rows) {
        return "its weights do not fit its labels";
    }
    if (known + view.contextRows > rows || view.classBits.size() != known * view.stride / 8) {
        return "its word rows do not fit its rows";
    }
    if (view.dense.size() != view.denseScales.size() * view.stride) {
        return "its dense weights do not fit its labels";
    }
    if (!isFinite({view.idf, view.scales, view.bias, view.denseScales})) {
        return notFinite;
    }
    return problemOf(view.index, rows);
}

std::string_view problemOf(const WordView& view, const LinearView& linear)
{
    const std::size_t words = view.scales.size();
    if (view.vectors.size() != words * view.dimension || view.weights.size() != words
        || view.tableRows > words || linear.denseScales.size() != 2 * view.dimension) {
        return "its word vectors do not fit";
    }
    if (!isFinite({view.scales, view.weights})) {
        return notFinite;
    }
    return problemOf(view.index, words);
}

std::string_view problemOf(
    const CnnView& view, const LinearView& linear, std::size_t tableRows, std::size_t labels)
{
    const CnnShape& shape = view.shape;
    const bool fits = view.tables.size() == tableRows * shape.rowSize()
        && view.tableScales.size() == tableRows
        && view.kernels.size() == shape.dimension * shape.columns()
        && view.bias.size() == shape.pooled() && view.outputs.size() == labels * shape.hidden()
        && view.outputScales.size() == labels && view.outputBias.size() == linear.stride
        && view.context.size() == linear.contextRows * linear.stride
        && view.contextScales.size() == linear.contextRows;
    if (!fits) {
        return "a CNN does not fit its shape";
    }
    return isFinite({view.tableScales, view.kernels, view.bias, view.outputScales, view.outputBias,
               view.contextScales})
        ? std::string_view()
        : notFinite;
}

std::string_view problemOf(const ModelView& view, const ModelMeta& meta)
{
    std::string_view problem = problemOf(view.linear);
    if (problem.empty() && !view.cnns.empty()) {
        problem = problemOf(view.words, view.linear);
    }
    for (const CnnView& cnn : view.cnns) {
        if (problem.empty()) {
            problem = problemOf(cnn, view.linear, meta.tableRows, meta.labels.size());
        }
    }
    return problem;
}

} // namespace

HashTable::HashTable(std::span<const std::uint64_t> hashes)
    : keys(std::bit_ceil(std::max<std::size_t>(hashes.size() * 2, 16)))
    , rows(keys.size())
{
    for (std::size_t row = 0; row < hashes.size(); ++row) {
        const std::uint64_t key = HashIndex::keyOf(hashes[row]);
        std::size_t place = std::size_t(key) & (keys.size() - 1);
        while (keys[place] != 0) {
            place = (place + 1) & (keys.size() - 1);
        }
        keys[place] = key;
        rows[place] = std::uint32_t(row);
    }
}

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

Result<std::shared_ptr<const ModelFile>> ModelFile::build(
    const ModelMeta& meta, const ModelParts& parts)
{
    const std::size_t stride = strideOf(meta.labels.size());
    Layout layout;
    const std::string text = metaText(meta);
    layout.add(SectionId::Meta, std::span<const char>(text));
    const LinearPart& linear = parts.linear;
    layout.addIndex(SectionId::NgramKeys, SectionId::NgramRows, linear.hashes);
    layout.add(SectionId::Idf, linear.idf);
    layout.addRounded(SectionId::Weights, SectionId::WeightScales, linear.weights, stride);
    layout.add(SectionId::Bias, linear.bias);
    layout.add(SectionId::ClassBits, linear.classBits);
    if (!parts.cnns.empty()) {
        layout.addRounded(SectionId::Dense, SectionId::DenseScales, linear.dense, stride);
        layout.addIndex(SectionId::WordKeys, SectionId::WordRows, parts.words.hashes);
        layout.addRounded(SectionId::WordVectors, SectionId::WordScales, parts.words.vectors,
            meta.shape.dimension);
        layout.add(SectionId::WordWeights, parts.words.weights);
    }
    for (std::size_t index = 0; index < parts.cnns.size(); ++index) {
        const CnnPart& cnn = parts.cnns[index];
        const auto member = std::uint32_t(index);
        layout.addRounded(
            SectionId::Tables, SectionId::TableScales, cnn.tables, meta.shape.rowSize(), member);
        layout.add(SectionId::Kernels, cnn.kernels, member);
        layout.add(SectionId::KernelBias, cnn.bias, member);
        layout.addRounded(
            SectionId::Outputs, SectionId::OutputScales, cnn.outputs, meta.shape.hidden(), member);
        layout.add(SectionId::OutputBias, cnn.outputBias, member);
        layout.addRounded(
            SectionId::Context, SectionId::ContextScales, cnn.context, stride, member);
    }
    std::shared_ptr<ModelFile> file(new ModelFile);
    file->allocate(layout.size());
    layout.write(file->m_data, file->m_size);
    if (auto read = file->read("the model just built"); !read) {
        return internalError("the trained model could not be laid out", read.error().message);
    }
    return std::shared_ptr<const ModelFile>(std::move(file));
}

Result<std::shared_ptr<const ModelFile>> ModelFile::fromBytes(
    std::string_view bytes, std::string_view where)
{
    std::shared_ptr<ModelFile> file(new ModelFile);
    file->allocate(std::max(bytes.size(), sizeof(Header)));
    std::copy(bytes.begin(), bytes.end(), file->m_data);
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
    // The hash takes as long as everything else, and is computed beside it.
    auto hash = std::async([this] { return sha256Hex(bytes()); });
    if (header.checksum != checksumOf(m_data, m_size)) {
        return inputError(fmt::format(
            "{} is damaged: its checksum does not match; copy or train it again", where));
    }
    const auto damaged = [&](std::string_view what) {
        return inputError(fmt::format("{} is damaged: {}; copy or train it again", where, what));
    };
    if (header.sections == 0 || header.sections > maxSections
        || m_size < sizeof(Header) + header.sections * sizeof(Section)) {
        return damaged("its section table is wrong");
    }
    std::vector<Section> table(header.sections);
    std::memcpy(table.data(), m_data + sizeof(Header), table.size() * sizeof(Section));
    for (const Section& section : table) {
        if (section.offset % alignment != 0 || section.offset > m_size
            || section.size > m_size - section.offset) {
            return damaged("a section lies outside the file");
        }
    }
    const Sections sections(m_data, table);
    const auto text = sections.get<char>(SectionId::Meta);
    auto meta = readMeta({text.data(), text.size()}, where);
    if (!meta) {
        return meta.error();
    }
    m_meta = std::move(*meta);
    m_view.linear = linearOf(sections, m_meta);
    if (m_meta.memberScales.size() > 1) {
        m_view.words = wordsOf(sections, m_meta);
    }
    for (std::size_t member = 0; member + 1 < m_meta.memberScales.size(); ++member) {
        m_view.cnns.push_back(cnnOf(sections, m_meta, member));
    }
    if (const auto problem = problemOf(m_view, m_meta); !problem.empty()) {
        return damaged(problem);
    }
    for (CnnView& cnn : m_view.cnns) {
        roundKernels(cnn);
    }
    m_hash = hash.get();
    return {};
}

} // namespace sluice

#include "engine/classification/evaluation/yamldocument.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <yaml.h>

namespace sluice {

namespace {

constexpr int deepest = 32;

class Reader
{
public:
    Reader(std::string_view text, std::string_view where)
        : m_where(where)
    {
        m_ready = yaml_parser_initialize(&m_parser) == 1;
        if (m_ready) {
            yaml_parser_set_input_string(
                &m_parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
            yaml_parser_set_encoding(&m_parser, YAML_UTF8_ENCODING);
        }
    }
    ~Reader()
    {
        if (m_ready) {
            yaml_event_delete(&m_event);
            yaml_parser_delete(&m_parser);
        }
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    Result<std::vector<YamlNode>> documents()
    {
        std::vector<YamlNode> documents;
        if (!m_ready) {
            return internalError("out of memory");
        }
        for (;;) {
            if (auto read = next(); !read) {
                return read.error();
            }
            switch (m_event.type) {
            case YAML_STREAM_END_EVENT:
                return documents;
            case YAML_SCALAR_EVENT:
            case YAML_SEQUENCE_START_EVENT:
            case YAML_MAPPING_START_EVENT:
            case YAML_ALIAS_EVENT: {
                auto node = this->node(0);
                if (!node) {
                    return node.error();
                }
                documents.push_back(std::move(*node));
                break;
            }
            default:
                break; // starts and ends of stream and documents
            }
        }
    }

private:
    Result<void> next()
    {
        yaml_event_delete(&m_event);
        if (yaml_parser_parse(&m_parser, &m_event) == 1) {
            return {};
        }
        const char* problem = m_parser.problem != nullptr ? m_parser.problem : "not YAML";
        return inputError(
            fmt::format("{}: line {}: {}", m_where, m_parser.problem_mark.line + 1, problem));
    }

    int line() const { return int(m_event.start_mark.line) + 1; }

    Result<void> refuseAnchor(const unsigned char* anchor) const
    {
        if (anchor == nullptr) {
            return {};
        }
        return inputError(fmt::format(
            "{}: line {}: anchors and aliases are not read: write the value out", m_where, line()));
    }

    /// The node whose first event is the present one.
    Result<YamlNode> node(int depth)
    {
        YamlNode node;
        node.line = line();
        if (depth > deepest) {
            return inputError(
                fmt::format("{}: line {}: more than {} levels", m_where, line(), deepest));
        }
        if (m_event.type == YAML_ALIAS_EVENT) {
            return refuseAnchor(m_event.data.alias.anchor).error();
        }
        if (m_event.type == YAML_SCALAR_EVENT) {
            const auto& scalar = m_event.data.scalar;
            if (auto refused = refuseAnchor(scalar.anchor); !refused) {
                return refused.error();
            }
            node.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
            node.literal = scalar.style == YAML_LITERAL_SCALAR_STYLE;
            return node;
        }
        const bool mapping = m_event.type == YAML_MAPPING_START_EVENT;
        node.kind = mapping ? YamlNode::Kind::Mapping : YamlNode::Kind::Sequence;
        if (auto refused = refuseAnchor(
                mapping ? m_event.data.mapping_start.anchor : m_event.data.sequence_start.anchor);
            !refused) {
            return refused.error();
        }
        const yaml_event_type_t end = mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
        for (;;) {
            if (auto read = next(); !read) {
                return read.error();
            }
            if (m_event.type == end) {
                return node;
            }
            auto child = this->node(depth + 1);
            if (!child) {
                return child.error();
            }
            if (!mapping) {
                node.items.push_back(std::move(*child));
                continue;
            }
            if (auto read = next(); !read) {
                return read.error();
            }
            auto value = this->node(depth + 1);
            if (!value) {
                return value.error();
            }
            node.keys.push_back(std::move(child->text));
            node.items.push_back(std::move(*value));
        }
    }

    std::string m_where;
    yaml_parser_t m_parser = {};
    yaml_event_t m_event = {};
    bool m_ready = false;
};

} // namespace

const YamlNode* YamlNode::member(std::string_view key) const
{
    const auto found = std::find(keys.begin(), keys.end(), key);
    return found == keys.end() ? nullptr : &items[std::size_t(found - keys.begin())];
}

std::string_view YamlNode::string(std::string_view key) const
{
    const YamlNode* node = member(key);
    return node != nullptr && node->kind == Kind::Scalar ? std::string_view(node->text)
                                                         : std::string_view();
}

Result<std::vector<YamlNode>> parseYaml(std::string_view text, std::string_view where)
{
    return Reader(text, where).documents();
}

} // namespace sluice

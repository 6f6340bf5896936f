#pragma once

#include "engine/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A node of a YAML document. Every scalar is text: "yes" and "3.1" are what was written.
struct YamlNode
{
    enum class Kind
    {
        Scalar,
        Sequence,
        Mapping
    };
    Kind kind = Kind::Scalar;
    std::string text; ///< of a scalar
    bool literal = false; ///< written as a block, `|`: its lines are the file's
    std::vector<YamlNode> items; ///< of a sequence; of a mapping, the values
    std::vector<std::string> keys; ///< of a mapping, in order, one an item
    int line = 0; ///< where it begins, from 1; of a literal, where its `|` stands

    /// A mapping's member, or nullptr.
    const YamlNode* member(std::string_view key) const;
    /// A mapping's scalar, or "".
    std::string_view string(std::string_view key) const;
};

/// Parses the documents of a YAML 1.1 stream (libyaml). Input error that begins with `where` and
/// says the line. Anchors, aliases and more than 32 levels are refused: no format of labelled
/// queries needs them, and they let a small file stand for a huge one.
Result<std::vector<YamlNode>> parseYaml(std::string_view text, std::string_view where);

} // namespace sluice

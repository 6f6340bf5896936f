#pragma once

#include "engine/service/configuration.h"

#include <boost/json/object.hpp>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::service {

/// One key of the configuration file. What may stand there is said by its JSON Schema, from which
/// reader, environment, flags and the schema file all follow.
struct Field
{
    std::string_view section;
    std::string_view key;
    boost::json::object schema; ///< type, bounds, default and description
    std::function<void(const boost::json::value&)> set; ///< of a value that fits the schema
};

/// Every key there is, writing into `configuration`, which must outlive them.
std::vector<Field> fieldsOf(Configuration& configuration);

/// The field of "section.key", or nullptr.
Field* findField(std::vector<Field>& fields, std::string_view path);

std::span<const std::string_view> sectionNames();
bool isSection(std::string_view name);

} // namespace sluice::service

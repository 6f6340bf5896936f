#pragma once

#include "engine/base/result.h"
#include "engine/classification/classifier.h"

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace sluice {

/// An answer as toJson() wrote it, with what stands around it.
struct ReadAnswer
{
    Answer answer; ///< `read`, `ruleContext` and labels' numbers are not in the JSON
    std::string query;
    std::string session; ///< empty without one
};

/// Reads the answer of a worker. Members that are not known are passed over: a worker may be of the
/// next version. Input error naming what is missing or wrong.
Result<ReadAnswer> answerFromJson(const boost::json::value& value, std::string_view where);

} // namespace sluice

#pragma once

#include "engine/base/result.h"

#include <chrono>
#include <memory>
#include <string_view>

namespace sluice {

/// A time zone of the IANA database ("Europe/Vienna"; ICU's copy) or a fixed offset ("+05:30").
/// Copies are cheap and may be used from any thread.
class Zone
{
public:
    Zone() = default; ///< UTC

    /// "UTC", a name of the IANA database or an offset of at most 18 hours; Input error otherwise.
    static Result<Zone> fromName(std::string_view name);

    std::chrono::local_seconds toLocal(std::chrono::sys_seconds time) const;

private:
    struct Rules;
    std::chrono::seconds m_offset{0}; ///< where there are no rules
    std::shared_ptr<const Rules> m_rules;
};

/// What relative dates and times are read against.
struct Moment
{
    std::chrono::sys_seconds utc{};
    Zone zone;

    std::chrono::local_seconds local() const { return zone.toLocal(utc); }
};

} // namespace sluice

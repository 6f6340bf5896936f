#include "engine/classification/entities/zone.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <unicode/timezone.h>

namespace sluice {

struct Zone::Rules
{
    std::unique_ptr<const icu::TimeZone> zone;
};

Result<Zone> Zone::fromName(std::string_view name)
{
    Zone zone;
    static const RE2 offset("([+-])([01][0-9]):?([0-5][0-9])");
    const re2::StringPiece piece(name.data(), name.size());
    std::string sign;
    int hours = 0;
    int minutes = 0;
    if (RE2::FullMatch(piece, offset, &sign, &hours, &minutes)
        && std::chrono::hours(hours) + std::chrono::minutes(minutes) <= std::chrono::hours(18)) {
        zone.m_offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
        zone.m_offset *= sign == "-" ? -1 : 1;
        return zone;
    }
    if (name == "UTC" || name == "Z") {
        return zone;
    }
    std::unique_ptr<const icu::TimeZone> found(icu::TimeZone::createTimeZone(
        icu::UnicodeString::fromUTF8(icu::StringPiece(name.data(), std::int32_t(name.size())))));
    if (found == nullptr || *found == icu::TimeZone::getUnknown()) {
        return inputError(fmt::format("\"{}\" is no time zone: a name of the IANA database "
                                      "(\"Europe/Vienna\") or an offset (\"+01:00\") is expected",
            name));
    }
    zone.m_rules = std::make_shared<const Rules>(Rules{std::move(found)});
    return zone;
}

std::chrono::local_seconds Zone::toLocal(std::chrono::sys_seconds time) const
{
    std::chrono::seconds offset = m_offset;
    if (m_rules != nullptr) {
        std::int32_t raw = 0;
        std::int32_t saving = 0;
        UErrorCode code = U_ZERO_ERROR;
        m_rules->zone->getOffset(
            double(time.time_since_epoch().count()) * U_MILLIS_PER_SECOND, 0, raw, saving, code);
        offset = U_SUCCESS(code) ? std::chrono::seconds((raw + saving) / U_MILLIS_PER_SECOND)
                                 : std::chrono::seconds(0);
    }
    return std::chrono::local_seconds(time.time_since_epoch() + offset);
}

} // namespace sluice

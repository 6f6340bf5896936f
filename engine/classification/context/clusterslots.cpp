#include "engine/classification/context/clusterslots.h"

#include <array>
#include <charconv>
#include <fmt/format.h>

namespace sluice {

namespace {

constexpr std::array<std::uint16_t, 256> makeCrcTable()
{
    std::array<std::uint16_t, 256> table{};
    for (std::size_t byte = 0; byte < table.size(); ++byte) {
        std::uint32_t value = std::uint32_t(byte) << 8U;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 0x8000U) != 0 ? (value << 1U) ^ 0x1021U : value << 1U;
        }
        table[byte] = std::uint16_t(value);
    }
    return table;
}

constexpr auto crcTable = makeCrcTable();

std::string_view hashedPart(std::string_view key)
{
    const std::size_t open = key.find('{');
    if (open == std::string_view::npos) {
        return key;
    }
    const std::size_t close = key.find('}', open + 1);
    return close == std::string_view::npos || close == open + 1
        ? key
        : key.substr(open + 1, close - open - 1);
}

template <typename Number> std::optional<Number> numberOf(std::string_view text)
{
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number)
                                                                    : std::nullopt;
}

bool isPort(std::int64_t number)
{
    return number > 0 && number <= 65535;
}

bool isSlot(std::int64_t number)
{
    return number >= 0 && number < std::int64_t(clusterSlotCount);
}

} // namespace

Result<RedisAddress> RedisAddress::parse(std::string_view text)
{
    const std::size_t colon = text.rfind(':');
    if (colon != std::string_view::npos && colon > 0) {
        const auto port = numberOf<std::int64_t>(text.substr(colon + 1));
        if (port && isPort(*port)) {
            return RedisAddress{std::string(text.substr(0, colon)), std::uint16_t(*port)};
        }
    }
    return inputError(fmt::format(
        "\"{}\" is no address of a Redis server: host:port is expected, as 127.0.0.1:6379", text));
}

std::size_t clusterSlotOf(std::string_view key)
{
    std::uint32_t crc = 0;
    for (const char c : hashedPart(key)) {
        crc = ((crc << 8U) & 0xFFFFU)
            ^ crcTable[((crc >> 8U) ^ static_cast<unsigned char>(c)) & 0xFFU];
    }
    return crc % clusterSlotCount;
}

Result<std::vector<ClusterRange>> clusterRangesOf(
    const RedisValue& reply, const RedisAddress& asked)
{
    const auto wrong = [&] {
        return inputError("what " + asked.text() + " answered to CLUSTER SLOTS is no map of slots");
    };
    if (reply.type != RedisValue::Type::Array) {
        return wrong();
    }
    std::vector<ClusterRange> ranges;
    for (const RedisValue& item : reply.items) {
        // first slot, last slot, master (host, port, id ...), replicas
        if (item.items.size() < 3 || item.items[2].items.size() < 2) {
            return wrong();
        }
        const std::int64_t first = item.items[0].integer;
        const std::int64_t last = item.items[1].integer;
        const std::string& host = item.items[2].items[0].text;
        const std::int64_t port = item.items[2].items[1].integer;
        if (!isSlot(first) || !isSlot(last) || first > last || !isPort(port)) {
            return wrong();
        }
        ranges.push_back({std::size_t(first), std::size_t(last),
            {host.empty() ? asked.host : host, std::uint16_t(port)}});
    }
    return ranges;
}

std::optional<ClusterRedirection> clusterRedirectionOf(
    std::string_view error, const RedisAddress& asked)
{
    ClusterRedirection found;
    found.ask = error.starts_with("ASK ");
    if (!found.ask && !error.starts_with("MOVED ")) {
        return std::nullopt;
    }
    error.remove_prefix(error.find(' ') + 1); // "3999 127.0.0.1:6381", or "3999 :6381"
    const std::size_t blank = error.find(' ');
    const auto slot = numberOf<std::int64_t>(error.substr(0, blank));
    if (blank == std::string_view::npos || !slot || !isSlot(*slot)) {
        return std::nullopt;
    }
    const std::string_view told = error.substr(blank + 1);
    std::string target(told.rfind(':') == 0 ? asked.host : ""); // "::1:6381" has a host
    target.append(told);
    const auto address = RedisAddress::parse(target);
    if (!address) {
        return std::nullopt;
    }
    found.slot = std::size_t(*slot);
    found.target = *address;
    return found;
}

} // namespace sluice

#include "engine/operations/loadtest/responsereader.h"

#include <algorithm>
#include <charconv>
#include <strings.h>

namespace sluice::ops {

namespace {

constexpr std::size_t maxHead = 64 * 1024;
constexpr std::size_t maxSample = 200;

bool same(std::string_view one, std::string_view other)
{
    return one.size() == other.size() && ::strncasecmp(one.data(), other.data(), one.size()) == 0;
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    return text;
}

} // namespace

void ResponseReader::reset()
{
    m_part = Part::Head;
    m_begun = false;
    m_keepsAlive = true;
    m_chunked = false;
    m_counted = false;
    m_status = 0;
    m_left = 0;
    m_pending.clear();
    m_sample.clear();
}

ResponseReader::State ResponseReader::take(std::string_view bytes)
{
    m_begun = m_begun || !bytes.empty();
    while (m_part == Part::Head) {
        std::size_t end = 0;
        std::string_view rest;
        bool good = true;
        if (m_pending.empty()) {
            end = bytes.find("\r\n\r\n");
            if (end == std::string_view::npos) {
                m_pending.assign(bytes);
                return m_pending.size() > maxHead ? State::Bad : State::More;
            }
            good = readHead(bytes.substr(0, end));
            rest = bytes.substr(end + 4);
        } else {
            const std::size_t before = m_pending.size();
            m_pending.append(bytes);
            end = m_pending.find("\r\n\r\n", before < 3 ? 0 : before - 3);
            if (end == std::string::npos) {
                return m_pending.size() > maxHead ? State::Bad : State::More;
            }
            good = readHead(std::string_view(m_pending).substr(0, end));
            rest = bytes.substr(end + 4 - before);
            m_pending.clear();
        }
        if (!good) {
            return State::Bad;
        }
        bytes = rest;
        if (m_status < 200 && bytes.empty()) {
            return State::More;
        }
    }
    return takeBody(bytes);
}

bool ResponseReader::readHead(std::string_view head)
{
    m_keepsAlive = head.starts_with("HTTP/1.1 ");
    if (!m_keepsAlive && !head.starts_with("HTTP/1.0 ")) {
        return false;
    }
    const char* digits = head.data() + 9;
    const std::size_t left = head.size() - 9;
    if (left < 3 || std::from_chars(digits, digits + 3, m_status).ptr != digits + 3
        || m_status < 100) {
        return false;
    }
    m_chunked = false;
    m_counted = false;
    m_left = 0;
    std::size_t at = head.find("\r\n");
    while (at != std::string_view::npos) {
        const std::size_t begin = at + 2;
        at = head.find("\r\n", begin);
        const std::string_view line = head.substr(begin, at == head.npos ? at : at - begin);
        if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
            readField(line.substr(0, colon), line.substr(colon + 1));
        }
    }
    if (m_status < 200) {
        return true; // the head of the final response follows
    }
    if (m_status == 204 || m_status == 304) {
        m_part = Part::Finished;
    } else if (m_chunked) {
        m_part = Part::ChunkSize;
    } else if (m_counted) {
        m_part = m_left > 0 ? Part::Counted : Part::Finished;
    } else {
        m_part = Part::UntilEnd;
        m_keepsAlive = false;
    }
    return true;
}

void ResponseReader::readField(std::string_view name, std::string_view value)
{
    if (same(name, "content-length")) {
        const std::string_view digits = trimmed(value);
        m_counted =
            std::from_chars(digits.data(), digits.data() + digits.size(), m_left).ec == std::errc();
    } else if (same(name, "connection")) {
        m_keepsAlive =
            m_keepsAlive ? !same(trimmed(value), "close") : same(trimmed(value), "keep-alive");
    } else if (same(name, "transfer-encoding")) {
        m_chunked = same(trimmed(value), "chunked");
    }
}

void ResponseReader::keepSample(std::string_view bytes)
{
    if (m_status / 100 != 2 && m_sample.size() < maxSample) {
        m_sample.append(bytes.substr(0, maxSample - m_sample.size()));
    }
}

ResponseReader::State ResponseReader::takeBody(std::string_view bytes)
{
    for (;;) {
        switch (m_part) {
        case Part::Finished:
            return State::Done;
        case Part::UntilEnd:
            keepSample(bytes);
            return State::More;
        case Part::Counted: {
            const auto part = std::size_t(std::min<std::uint64_t>(m_left, bytes.size()));
            keepSample(bytes.substr(0, part));
            bytes.remove_prefix(part);
            m_left -= part;
            if (m_left > 0) {
                return State::More;
            }
            m_part = m_chunked ? Part::ChunkEnd : Part::Finished;
            break;
        }
        case Part::Head:
        case Part::ChunkSize:
        case Part::ChunkEnd:
        case Part::Trailer:
            if (!takeLine(bytes)) {
                return m_pending.size() > maxHead ? State::Bad : State::More;
            }
            if (!endLine()) {
                return State::Bad;
            }
            break;
        }
    }
}

bool ResponseReader::takeLine(std::string_view& bytes)
{
    const std::size_t end = bytes.find('\n');
    m_pending.append(bytes.substr(0, end));
    if (end == std::string_view::npos) {
        bytes = {};
        return false;
    }
    bytes.remove_prefix(end + 1);
    return true;
}

bool ResponseReader::endLine()
{
    const std::string_view line = trimmed(m_pending);
    bool good = true;
    if (m_part == Part::ChunkEnd) {
        good = line.empty();
        m_part = Part::ChunkSize;
    } else if (m_part == Part::Trailer) {
        m_part = line.empty() ? Part::Finished : Part::Trailer;
    } else {
        const auto read = std::from_chars(line.data(), line.data() + line.size(), m_left, 16);
        good = read.ec == std::errc();
        m_part = m_left > 0 ? Part::Counted : Part::Trailer;
    }
    m_pending.clear();
    return good;
}

ResponseReader::State ResponseReader::end()
{
    return m_part == Part::UntilEnd ? State::Done : State::Bad;
}

} // namespace sluice::ops

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::ops {

/// Finds where one HTTP/1.1 response ends (RFC 9112) in bytes as they arrive: by Content-Length, by
/// chunks, or by the end of the connection. Interim responses (1xx) are passed over. An answer that
/// comes in one piece is read where it lies, without a copy. Bodies are skipped, but for the
/// beginning of those that aren't 2xx.
class ResponseReader
{
public:
    enum class State
    {
        More, ///< not all there yet
        Done,
        Bad ///< not HTTP, or a head over 64 KiB
    };

    void reset();
    /// Takes bytes; what follows a finished response is nobody's (requests aren't pipelined).
    State take(std::string_view bytes);
    /// The connection has ended: Done where that ends the response, else Bad.
    State end();

    bool hasBegun() const { return m_begun; }
    int status() const { return m_status; }
    bool keepsAlive() const { return m_keepsAlive; }
    const std::string& sample() const { return m_sample; } ///< at most 200 bytes

private:
    enum class Part
    {
        Head,
        Counted, ///< m_left bytes of body, or of a chunk
        ChunkSize,
        ChunkEnd, ///< the line end behind a chunk
        Trailer,
        UntilEnd,
        Finished
    };
    bool readHead(std::string_view head); ///< without the empty line
    void readField(std::string_view name, std::string_view value);
    State takeBody(std::string_view bytes);
    bool takeLine(std::string_view& bytes); ///< into m_pending; true when it is whole
    bool endLine();
    void keepSample(std::string_view bytes);

    Part m_part = Part::Head;
    bool m_begun = false;
    bool m_keepsAlive = true;
    bool m_chunked = false;
    bool m_counted = false;
    int m_status = 0;
    std::uint64_t m_left = 0;
    std::string m_pending; ///< of a head or line that is not whole yet
    std::string m_sample;
};

} // namespace sluice::ops

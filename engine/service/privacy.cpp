#include "engine/service/privacy.h"

#include "engine/base/sha256.h"

#include <algorithm>
#include <cctype>

namespace sluice::service {

Privacy::Privacy(PrivacySettings settings)
    : m_settings(std::move(settings))
{ }

std::string Privacy::query(std::string_view text, std::span<const Entity> entities) const
{
    if (m_settings.queries == "plain") {
        return std::string(text);
    }
    if (m_settings.queries == "hashed") {
        return hmacSha256Hex(m_settings.key, text);
    }
    return m_settings.queries == "none" ? std::string() : redacted(text, entities);
}

std::string Privacy::session(std::string_view id) const
{
    return m_settings.sessions == "plain" || id.empty() ? std::string(id)
                                                        : hmacSha256Hex(m_settings.key, id);
}

std::string Privacy::redacted(std::string_view text, std::span<const Entity> entities) const
{
    const auto& types = m_settings.entities;
    std::string kept;
    std::size_t at = 0;
    for (const Entity& entity : entities) { // in order of place, without overlaps
        const bool isPersonal =
            types.empty() || std::find(types.begin(), types.end(), entity.type) != types.end();
        if (entity.turn != 0 || !isPersonal || entity.span.byteBegin < at) {
            continue;
        }
        kept += text.substr(at, entity.span.byteBegin - at);
        kept += '<';
        std::transform(entity.type.begin(), entity.type.end(), std::back_inserter(kept),
            [](unsigned char letter) { return char(std::toupper(letter)); });
        kept += '>';
        at = entity.span.byteEnd;
    }
    kept += text.substr(at);
    return kept;
}

} // namespace sluice::service

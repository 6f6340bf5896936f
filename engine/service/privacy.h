#pragma once

#include "engine/classification/entities/entity.h"
#include "engine/service/configuration.h"

#include <span>
#include <string>
#include <string_view>

namespace sluice::service {

/// What of a query and of a session's name may leave the worker for the decision log and the
/// feedback, by configuration (section `privacy`). Hashes are HMAC-SHA-256 under the configured
/// key, so that equal ones can be told, and nobody without the key can try texts on them.
class Privacy
{
public:
    explicit Privacy(PrivacySettings settings);

    /// The query as typed, with every entity of a configured type replaced by its type in angle
    /// brackets ("where is <ORDER_NUMBER>?"), hashed, or nothing. `entities`: of that text; those
    /// carried from context are passed over.
    std::string query(std::string_view text, std::span<const Entity> entities) const;
    std::string session(std::string_view id) const;

private:
    std::string redacted(std::string_view text, std::span<const Entity> entities) const;

    PrivacySettings m_settings;
};

} // namespace sluice::service

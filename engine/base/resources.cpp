#include "engine/base/resources.h"

#include <cstdlib>

namespace sluice {

namespace fs = std::filesystem;

fs::path resourceFolder()
{
    if (const char* named = std::getenv("SLUICE_RESOURCES"); named != nullptr && *named != '\0') {
        return named;
    }
    std::error_code code;
    const fs::path program = fs::read_symlink("/proc/self/exe", code);
    if (!code) {
        const fs::path folder = program.parent_path();
        for (const char* up : {"..", "../.."}) {
            const fs::path candidate = (folder / up / "share" / "sluice").lexically_normal();
            if (fs::is_directory(candidate, code)) {
                return candidate;
            }
        }
    }
    return "/usr/share/sluice";
}

fs::path resourceFile(std::string_view name)
{
    return resourceFolder() / name;
}

} // namespace sluice

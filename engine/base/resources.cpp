#include "engine/base/resources.h"

#include <cstdlib>

namespace sluice {

namespace fs = std::filesystem;

fs::path resourceFolder()
{
    if (const char* folder = std::getenv("SLUICE_RESOURCES");
        folder != nullptr && *folder != '\0') {
        return folder;
    }
    std::error_code code;
    const fs::path program = fs::read_symlink("/proc/self/exe", code);
    if (!code) {
        // build/<preset>/bin/sluice, and build/<preset>/tests/bin/tst_x one further up.
        for (fs::path above = program.parent_path().parent_path(); above.has_relative_path();
             above = above.parent_path()) {
            fs::path beside = above / "share" / "sluice";
            if (fs::is_directory(beside, code)) {
                return beside;
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

#include "engine/base/file.h"
#include "engine/classification/model/model.h"

#include <fmt/format.h>

/// trainbundled MODEL DATA...: trains the model that ships with the programs, at build time.
int main(int argc, char** argv)
{
    if (argc < 3) {
        fmt::print(stderr, "usage: sluice_train_bundled MODEL DATA...\n");
        return 2;
    }
    const auto fail = [](const sluice::Error& error) {
        fmt::print(stderr, "sluice_train_bundled: {}\n", error.text());
        return 2;
    };
    const std::filesystem::path out = argv[1];
    if (auto folder = sluice::ensureWritableFolder(out.parent_path()); !folder) {
        return fail(folder.error());
    }
    const std::vector<std::filesystem::path> files(argv + 2, argv + argc);
    const auto data = sluice::readLabelledData(files);
    if (!data) {
        return fail(data.error());
    }
    const auto model = sluice::Model::train(*data, {});
    if (!model) {
        return fail(model.error());
    }
    if (auto saved = model->save(out); !saved) {
        return fail(saved.error());
    }
    return 0;
}

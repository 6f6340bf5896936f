#pragma once

#include "ui/shell/theme.h"

#include <QDir>
#include <QWidget>
#include <QtTest>

namespace sluice::test {

/// Draws a window in both themes and each size as NAME-THEME-WxH.png where SLUICE_PICTURES names a
/// folder; then it is light and of its size again. False: one could not be written.
inline bool drawPictures(QWidget& window, const QString& name,
    const QList<QSize>& sizes = {QSize(1280, 800), QSize(1920, 1080)})
{
    const QString folder = qEnvironmentVariable("SLUICE_PICTURES");
    if (folder.isEmpty()) {
        return true;
    }
    const QSize before = window.size();
    bool written = QDir().mkpath(folder);
    for (const ui::Theme::Mode mode : {ui::Theme::Mode::Light, ui::Theme::Mode::Dark}) {
        ui::theme().setMode(mode);
        for (const QSize size : sizes) {
            window.resize(size);
            QTest::qWait(150); // nothing to wait for: layouts and themes settle in the event loop
            written = window.grab().save(QStringLiteral("%1/%2-%3-%4x%5.png")
                                             .arg(folder, name, ui::Theme::modeText(mode))
                                             .arg(size.width())
                                             .arg(size.height()))
                && written;
        }
    }
    ui::theme().setMode(ui::Theme::Mode::Light);
    window.resize(before);
    return written;
}

} // namespace sluice::test

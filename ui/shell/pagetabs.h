#pragma once

#include <QTabBar>

namespace sluice::ui {

/// The names of a workspace's pages, the one in hand tinted.
class PageTabs : public QTabBar
{
    Q_OBJECT

public:
    explicit PageTabs(QWidget* parent = nullptr);

protected:
    QSize tabSizeHint(int index) const override;
    void paintEvent(QPaintEvent* event) override;
};

} // namespace sluice::ui

#pragma once

#include <QWidget>
#include <optional>

namespace sluice::ui {

/// A thin bar of a share (0..1) with an optional limit line, for table rows and tiles.
class Meter : public QWidget
{
    Q_OBJECT

public:
    explicit Meter(QWidget* parent = nullptr);

    void setValue(double share);
    void setLimit(std::optional<double> share);
    void setQuiet(bool quiet); ///< grey instead of the accent: not the chosen one
    double value() const { return m_value; }

    QSize sizeHint() const override { return {120, 14}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    double m_value = 0;
    std::optional<double> m_limit;
    bool m_quiet = false;
};

} // namespace sluice::ui

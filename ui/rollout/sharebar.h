#pragma once

#include <QString>
#include <QWidget>

namespace sluice::ui {

/// How the sessions are split between the two pools, as one bar.
class ShareBar : public QWidget
{
    Q_OBJECT

public:
    explicit ShareBar(QWidget* parent = nullptr);
    /// `next` takes `share` (0..1), `live` the rest. `unknown`: nothing has been read.
    void setShare(const QString& live, const QString& next, double share);
    void setUnknown();

    QSize sizeHint() const override { return {400, 54}; }
    QSize minimumSizeHint() const override { return {200, 54}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_live;
    QString m_next;
    double m_share = 0;
    bool m_known = false;
};

} // namespace sluice::ui

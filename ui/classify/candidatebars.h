#pragma once

#include <QList>
#include <QString>
#include <QWidget>

namespace sluice::ui {

/// The best intents as bars, with the line from which the first one is accepted.
class CandidateBars : public QWidget
{
    Q_OBJECT

public:
    struct Bar
    {
        QString intent;
        double confidence = 0; ///< 0..1
    };

    explicit CandidateBars(QWidget* parent = nullptr);
    /// `accepted`: the first bar is the answer.
    void setBars(const QList<Bar>& bars, double threshold, bool accepted);
    /// The lead of the first over the second, and how much is asked: a bracket between their ends.
    void setMargin(double margin, double required);
    const QList<Bar>& bars() const { return m_bars; }
    double threshold() const { return m_threshold; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {260, sizeHint().height()}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void paintMargin(QPainter& painter, const QRectF& track) const;

    QList<Bar> m_bars;
    double m_threshold = 0;
    double m_margin = 0;
    double m_required = 0;
    bool m_accepted = false;
};

} // namespace sluice::ui

#include "ui/monitor/metrictile.h"

#include "ui/shell/text.h"

#include <QVBoxLayout>

namespace sluice::ui {

MetricTile::MetricTile(const QString& name, const QString& limitText, QWidget* parent)
    : Card(name, {}, parent)
    , m_state(new StatusLabel(this))
    , m_figure(new Text(FontRole::Figure, Ink::Text, QStringLiteral("–"), this))
    , m_name(name)
{
    addToTitle(m_state);
    content()->setSpacing(2);
    content()->addWidget(m_figure);
    auto* limit = new Text(FontRole::Small, Ink::Muted, limitText, this);
    limit->setElided(true);
    content()->addWidget(limit);
    content()->addStretch();
    setAccessibleName(name);
    setFigure(QStringLiteral("–"), ops::Judgement::NoData, {});
}

void MetricTile::setFigure(const QString& figure, ops::Judgement judgement, const QString& source)
{
    m_figure->setText(figure);
    switch (judgement) {
    case ops::Judgement::Ok:
        m_state->setStatus(Tone::Ok, QString());
        break;
    case ops::Judgement::Breach:
        m_state->setStatus(Tone::Bad, QString());
        break;
    case ops::Judgement::NoData:
        m_state->setStatus(Tone::None, QString());
        break;
    }
    setToolTip(source);
    setAccessibleDescription(figure
        % (judgement == ops::Judgement::Ok            ? tr(", within its target")
                : judgement == ops::Judgement::Breach ? tr(", misses its target")
                                                      : tr(", no data")));
}

QString MetricTile::figure() const
{
    return m_figure->text();
}

} // namespace sluice::ui

#include "ui/shell/stateview.h"

#include "ui/shell/button.h"

#include <QGridLayout>
#include <QPaintEvent>
#include <QPainter>
#include <QProgressBar>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

/// Lies over what is out of date and greys it. (QGraphicsOpacityEffect does too, but what a table
/// or a chart repaints by itself is then drawn over memory that nobody cleared.)
class Veil : public QWidget
{
public:
    explicit Veil(QWidget* parent)
        : QWidget(parent)
    {
        setAttribute(Qt::WA_TransparentForMouseEvents);
        hide();
    }

protected:
    void paintEvent(QPaintEvent* event) override
    {
        QPainter(this).fillRect(event->rect(), withAlpha(theme().colors().background, 0.5));
    }
};

} // namespace

StateView::StateView(QWidget* parent)
    : QStackedWidget(parent)
    , m_dataPage(new QWidget)
    , m_veil(new Veil(m_dataPage))
    , m_banner(new QWidget)
    , m_bannerText(new Text(FontRole::Base, Ink::Warn))
    , m_messagePage(new QWidget)
    , m_glyph(new Text(FontRole::Figure, Ink::Muted))
    , m_title(new Text(FontRole::Title, Ink::Text))
    , m_text(new Text(FontRole::Base, Ink::Muted))
    , m_remedy(new Text(FontRole::Base, Ink::Text))
    , m_busy(new QProgressBar)
    , m_button(new Button({}, ButtonRole::Primary))
{
    auto* page = new QGridLayout(m_dataPage);
    page->setContentsMargins(0, 0, 0, 0);
    page->setSpacing(6);
    page->setRowStretch(1, 1);
    auto* banner = new QVBoxLayout(m_banner);
    banner->setContentsMargins(2, 0, 2, 0);
    m_bannerText->setWordWrap(true);
    m_bannerText->setTextInteractionFlags(Qt::TextSelectableByMouse);
    banner->addWidget(m_bannerText);
    m_banner->hide();
    page->addWidget(m_banner, 0, 0);

    auto* message = new QVBoxLayout(m_messagePage);
    message->setSpacing(8);
    message->addStretch(2);
    for (Text* line : {m_glyph, m_title, m_text, m_remedy}) {
        line->setAlignment(Qt::AlignHCenter);
        line->setWordWrap(line != m_glyph);
        message->addWidget(line);
    }
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_busy->setRange(0, 0);
    m_busy->setTextVisible(false);
    m_busy->setFixedSize(180, 8);
    m_busy->setAccessibleName(tr("Loading"));
    message->addWidget(m_busy, 0, Qt::AlignHCenter);
    message->addSpacing(4);
    message->addWidget(m_button, 0, Qt::AlignHCenter);
    message->addStretch(3);
    addWidget(m_dataPage);
    addWidget(m_messagePage);
    setCurrentWidget(m_messagePage);
    fill({}, Ink::Muted, {}, {}, {}, {});

    m_delay.setSingleShot(true);
    m_delay.setInterval(200);
    connect(&m_delay, &QTimer::timeout, this, [this] { setCurrentWidget(m_messagePage); });
    connect(m_button, &QPushButton::clicked, this, [this] {
        switch (m_state) {
        case State::Loading:
            Q_EMIT cancelRequested();
            break;
        case State::Failed:
        case State::Disconnected:
            Q_EMIT retryRequested();
            break;
        case State::Empty:
        case State::Data:
            Q_EMIT actionTriggered();
            break;
        }
    });
}

void StateView::setDataWidget(QWidget* widget)
{
    m_data = widget;
    auto* page = static_cast<QGridLayout*>(m_dataPage->layout());
    page->addWidget(widget, 1, 0);
    page->addWidget(m_veil, 1, 0); // the same place
    m_veil->raise();
}

void StateView::set(State state)
{
    m_delay.stop();
    if (state != State::Disconnected || !m_hadData) {
        m_banner->hide();
        m_veil->hide();
    }
    if (state == m_state) {
        return;
    }
    m_state = state;
    Q_EMIT stateChanged(state);
}

void StateView::fill(const QString& glyph, Ink ink, const QString& title, const QString& text,
    const QString& remedy, const QString& button)
{
    m_glyph->setText(glyph);
    m_glyph->setInk(ink);
    m_glyph->setVisible(!glyph.isEmpty());
    m_title->setText(title);
    m_title->setVisible(!title.isEmpty());
    m_text->setText(text);
    m_text->setVisible(!text.isEmpty());
    m_remedy->setText(remedy);
    m_remedy->setVisible(!remedy.isEmpty());
    m_button->setText(button);
    m_button->setVisible(!button.isEmpty());
    m_busy->hide();
}

void StateView::showData()
{
    m_hadData = true;
    set(State::Data);
    setCurrentWidget(m_dataPage);
}

void StateView::showEmpty(const QString& title, const QString& text, const QString& button)
{
    set(State::Empty);
    m_hadData = false;
    fill({}, Ink::Muted, title, text, {}, button);
    m_button->setRole(ButtonRole::Primary);
    setCurrentWidget(m_messagePage);
}

void StateView::showLoading(const QString& text, bool cancellable)
{
    const bool already = m_state == State::Loading;
    if (!already) {
        set(State::Loading);
    }
    fill({}, Ink::Muted, {}, text, {}, cancellable ? tr("Cancel") : QString());
    m_button->setRole(ButtonRole::Plain);
    m_busy->show();
    if (!already) {
        m_delay.start();
    }
}

void StateView::showError(const Trouble& trouble, bool retry)
{
    set(State::Failed);
    fill(Theme::glyph(Tone::Bad), Ink::Bad, trouble.what, trouble.why, trouble.remedy,
        retry ? tr("Try again") : QString());
    m_button->setRole(ButtonRole::Plain);
    setCurrentWidget(m_messagePage);
}

void StateView::showError(const QString& what, const Error& error, const QString& remedy)
{
    showError(Trouble{what, QString::fromStdString(error.text()), remedy},
        error.kind != ErrorKind::Input);
}

void StateView::showDisconnected(const Trouble& trouble, const QString& since)
{
    set(State::Disconnected);
    if (m_hadData && m_data != nullptr) {
        m_bannerText->setText(QString(Theme::glyph(Tone::Warn) + QLatin1Char(' ') + trouble.what
            + (trouble.why.isEmpty() ? QString() : QString(QStringLiteral(": ") + trouble.why))
            + (since.isEmpty() ? QString() : QString(QStringLiteral(" · ") + since))));
        m_bannerText->setToolTip(trouble.remedy);
        m_banner->show();
        m_veil->show();
        setCurrentWidget(m_dataPage);
        return;
    }
    fill(Theme::glyph(Tone::None), Ink::Muted, trouble.what, trouble.why, trouble.remedy,
        tr("Try again"));
    m_button->setRole(ButtonRole::Plain);
    setCurrentWidget(m_messagePage);
}

} // namespace sluice::ui

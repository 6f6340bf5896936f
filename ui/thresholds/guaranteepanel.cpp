#include "ui/thresholds/guaranteepanel.h"

#include "engine/base/file.h"
#include "ui/shell/button.h"
#include "ui/shell/format.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QScrollArea>
#include <QSlider>
#include <QVBoxLayout>
#include <algorithm>

namespace sluice::ui {

namespace {

QDoubleSpinBox* percentSpin(double value, double low, double high, const QString& name)
{
    auto* spin = new QDoubleSpinBox;
    spin->setRange(low, high);
    spin->setDecimals(1);
    spin->setValue(value);
    spin->setSuffix(QStringLiteral(" %"));
    spin->setAccessibleName(name);
    return spin;
}

Text* small(QWidget* parent)
{
    auto* text = new Text(FontRole::Base, Ink::Muted, {}, parent);
    text->setWordWrap(true);
    return text;
}

} // namespace

GuaranteePanel::GuaranteePanel(TuningSession* session, QWidget* parent)
    : Card(tr("A threshold with a guarantee"), {}, parent)
    , m_session(session)
{
    content()->setSpacing(6);
    content()->addWidget(makeInputs());
    auto* buttons = new QHBoxLayout;
    m_certify = new Button(tr("Certify"), ButtonRole::Plain, this);
    m_certify->setToolTip(tr("Tests thresholds from strict to loose on the calibration rows, and "
                             "keeps the last one that can be certified"));
    m_suggest = new Button(tr("Suggest by intent"), ButtonRole::Plain, this);
    m_suggest->setToolTip(tr("Looks for thresholds by intent; suggests them only where they beat "
                             "the global one on held-out rows"));
    m_use = new Button(tr("Use"), ButtonRole::Plain, this);
    m_use->setToolTip(tr("Takes what was found into the draft; can be undone"));
    buttons->addWidget(m_certify);
    buttons->addWidget(m_suggest);
    buttons->addStretch();
    buttons->addWidget(m_use);
    content()->addLayout(buttons);
    auto* head = new QHBoxLayout;
    m_headline = new Text(FontRole::Figure, Ink::Text, {}, this);
    m_state = new StatusLabel(this);
    head->addWidget(m_headline);
    head->addWidget(m_state, 1, Qt::AlignBottom);
    content()->addLayout(head);
    auto* scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setMinimumHeight(60);
    scroll->viewport()->setAutoFillBackground(false);
    scroll->setAccessibleName(tr("Certificate"));
    m_text = small(scroll);
    m_text->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    scroll->setWidget(m_text);
    m_text->setAutoFillBackground(false);
    content()->addWidget(scroll, 1);

    connect(m_certify, &Button::clicked, this, &GuaranteePanel::certify);
    connect(m_suggest, &Button::clicked, this, &GuaranteePanel::suggest);
    connect(m_use, &Button::clicked, this, &GuaranteePanel::use);
    connect(session, &TuningSession::figuresChanged, this, &GuaranteePanel::refresh);
    connect(session, &TuningSession::dataChanged, this, [this] {
        m_guarantee.reset();
        m_suggestion.reset();
        m_heldOut->setVisible(m_session->data().preview.undeclared);
        refresh();
        Q_EMIT changed();
    });
    m_heldOut->hide();
    m_use->setEnabled(false);
}

QWidget* GuaranteePanel::makeInputs()
{
    auto* box = new QWidget(this);
    auto* form = new QFormLayout(box);
    form->setContentsMargins(0, 0, 0, 0);
    form->setVerticalSpacing(5);
    m_alpha = percentSpin(5, 0.1, 50, tr("Wrong at most, of the accepted"));
    m_confidence = percentSpin(90, 50, 99.9, tr("Sure to"));
    auto* line = new QHBoxLayout;
    line->setSpacing(8);
    line->addWidget(m_alpha, 1);
    line->addWidget(new Text(FontRole::Base, Ink::Muted, tr("sure to"), box));
    line->addWidget(m_confidence, 1);
    form->addRow(tr("Wrong at most"), line);
    m_claim = new QComboBox(box);
    m_claim->setAccessibleName(tr("Claim"));
    m_claim->addItems({tr("all accepted queries together"), tr("each intent for itself"),
        tr("all intents, all claims at once"), tr("each group for itself…"),
        tr("all groups, all claims at once…")});
    m_claim->setToolTip(
        tr("A claim about each intent or group for itself holds one by one: of twenty, two may be "
           "broken at 90 %. Claims at once hold together, and need more rows."));
    form->addRow(tr("Claim about"), m_claim);
    m_assume = new QCheckBox(tr("Out of scope"), box);
    m_assume->setToolTip(
        tr("Assumes this share of the traffic to be out of scope, instead of that of the rows"));
    m_share = new QSlider(Qt::Horizontal, box);
    m_share->setRange(0, 500);
    m_share->setAccessibleName(tr("Assumed share out of scope, in tenths of a percent"));
    m_share->setEnabled(false);
    m_shareText = new Text(FontRole::Base, Ink::Text, {}, box);
    m_shareText->setMinimumWidth(44);
    m_shareText->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    auto* shareLine = new QHBoxLayout;
    shareLine->addWidget(m_share, 1);
    shareLine->addWidget(m_shareText);
    form->addRow(m_assume, shareLine);
    m_alarm = small(box);
    form->addRow(m_alarm);
    m_heldOut = new QCheckBox(tr("These rows trained nothing and chose nothing"), box);
    m_heldOut->setToolTip(tr("The file says of no row that it is for calibration: it takes your "
                             "word, and the certificate says so"));
    form->addRow(m_heldOut);
    connect(m_assume, &QCheckBox::toggled, this, [this](bool on) {
        m_share->setEnabled(on);
        if (on && m_share->value() == 0) {
            const auto estimate =
                m_session->hasData() ? m_session->trafficOutOfScope() : std::nullopt;
            const Outcome& outcome = m_session->figures().outcome;
            const double rows = double(std::max<std::size_t>(1, outcome.rows()));
            m_share->setValue(
                int(1000 * (estimate ? estimate->share : double(outcome.outOfScope) / rows)));
        }
        refreshAlarm();
    });
    connect(m_share, &QSlider::valueChanged, this, &GuaranteePanel::refreshAlarm);
    connect(m_alpha, &QDoubleSpinBox::valueChanged, this, &GuaranteePanel::changed);
    connect(m_claim, &QComboBox::activated, this, [this](int index) {
        if (index >= int(Claim::EachGroup)) {
            chooseGroups();
        }
    });
    return box;
}

void GuaranteePanel::chooseGroups()
{
    auto* dialog = new QFileDialog(this, tr("Open groups of intents"), {},
        tr("Groups: {\"name\": [intents]} (*.json);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, &GuaranteePanel::readGroups);
    dialog->open();
}

void GuaranteePanel::readGroups(const QString& file)
{
    const auto text = readFile(file.toStdString(), std::size_t(1) << 20);
    const QJsonObject groups =
        text ? QJsonDocument::fromJson(QByteArray::fromStdString(*text)).object() : QJsonObject();
    if (groups.isEmpty()) {
        Q_EMIT trouble(text ? tr("%1: an object of \"name\": [intents] is expected").arg(file)
                            : QString::fromStdString(text.error().text()));
        return;
    }
    std::vector<IntentGroup> read;
    const auto& labels = m_session->classifier().model().labels();
    for (auto group = groups.begin(); group != groups.end(); ++group) {
        IntentGroup& one = read.emplace_back(IntentGroup{group.key().toStdString(), {}});
        const QJsonArray intents = group.value().toArray();
        for (const QJsonValue& intent : intents) {
            const std::string name = intent.toString().toStdString();
            const auto found = std::lower_bound(labels.begin(), labels.end(), name);
            if (found == labels.end() || *found != name) {
                Q_EMIT trouble(tr("%1: the model does not know \"%2\" of the group %3")
                                   .arg(file, intent.toString(), group.key()));
                return;
            }
            one.labels.push_back(int(found - labels.begin()));
        }
    }
    m_groups = std::move(read);
}

void GuaranteePanel::certify()
{
    if (!m_session->hasData()) {
        return;
    }
    const auto claim = Claim(m_claim->currentIndex());
    const bool grouped = claim >= Claim::EachGroup;
    if (grouped && m_groups.empty()) {
        chooseGroups();
        return;
    }
    TuningSession::ClaimRequest request;
    request.alpha = m_alpha->value() / 100;
    request.delta = 1 - m_confidence->value() / 100;
    if (m_assume->isChecked()) {
        request.outOfScopeShare = m_share->value() / 1000.0;
    }
    request.claim = claim == Claim::All                           ? ClaimKind::Marginal
        : claim == Claim::EachIntent || claim == Claim::EachGroup ? ClaimKind::Group
                                                                  : ClaimKind::Simultaneous;
    request.groups = grouped ? m_groups : std::vector<IntentGroup>();
    request.declaredHeldOut = m_heldOut->isChecked();
    m_suggestion.reset();
    m_session->certify(
        request, [this](Result<Guarantee> guarantee) { onCertified(std::move(guarantee)); });
}

void GuaranteePanel::onCertified(Result<Guarantee> guarantee)
{
    if (!guarantee) {
        m_guarantee.reset();
        m_headline->clear();
        m_state->setStatus(Tone::Bad, tr("not tested"));
        m_text->setText(QString::fromStdString(guarantee.error().text()));
        m_use->setEnabled(false);
        Q_EMIT changed();
        return;
    }
    m_guarantee = std::move(*guarantee);
    int certified = 0;
    for (const GroupCertification& one : m_guarantee->found) {
        certified += one.certification.certificate ? 1 : 0;
    }
    Q_EMIT done(QStringLiteral("evaluate"),
        tr("certificate at %1 %: %2 of %3 claims")
            .arg(format::number(m_guarantee->request.alpha * 100))
            .arg(certified)
            .arg(m_guarantee->found.size()),
        {{QStringLiteral("alpha"), m_guarantee->request.alpha},
            {QStringLiteral("delta"), m_guarantee->request.delta},
            {QStringLiteral("certified"), certified}});
    refresh();
    Q_EMIT changed();
}

bool GuaranteePanel::holds() const
{
    for (const GroupCertification& one : m_guarantee->found) {
        if (one.certification.certificate
            && one.certification.certificate->covers(
                m_session->draft(), m_session->classifier().model().hash())) {
            return true;
        }
    }
    return false;
}

void GuaranteePanel::showMarginal()
{
    const Certification& found = m_guarantee->found.front().certification;
    if (!found.certificate) {
        const Shortfall& lack = found.shortfall;
        m_headline->setText(lack.moreRows < 0
                ? QString(u"+" % format::count(double(lack.moreAccepted)))
                : QString(u"+" % format::count(double(lack.moreRows))));
        m_state->setStatus(Tone::Warn, tr("labelled rows are missing"));
        QString text =
            tr("Not certifiable at %1 %: %2 more accepted labelled rows are needed, none "
               "of them wrong")
                .arg(format::number(m_guarantee->request.alpha * 100))
                .arg(lack.moreAccepted);
        if (lack.moreRows >= 0) {
            text += tr(", or about %1 labelled rows like these").arg(lack.moreRows);
        }
        m_text->setText(text
            % tr(".\nAt %1, where testing begins, %2 rows are accepted and %3 of them are wrong.")
                  .arg(format::fixed(lack.threshold, 3))
                  .arg(lack.accepted)
                  .arg(lack.errors));
        m_use->setEnabled(false);
        return;
    }
    const Certificate& certificate = *found.certificate;
    m_headline->setText(format::fixed(certificate.threshold, 3));
    const bool holds = this->holds();
    m_state->setStatus(holds ? Tone::Ok : Tone::None,
        holds ? QStringLiteral("✓") : QStringLiteral("◌"),
        holds ? tr("certified") : tr("certified, not in the draft"));
    QStringList lines{
        tr("bound %1 ≤ %2 · %3 of %4 accepted · %5 wrong")
            .arg(format::percent(certificate.bound), format::percent(certificate.alpha),
                format::count(double(certificate.accepted)),
                format::count(double(certificate.rows)),
                format::count(double(certificate.errors)))};
    if (m_guarantee->mostOutOfScope) {
        lines << tr("holds while at most %1 of the traffic is out of scope")
                     .arg(format::percent(*m_guarantee->mostOutOfScope));
    }
    for (const std::string& sentence : certificate.sentences()) {
        lines << QString::fromStdString(sentence);
    }
    lines << tr("model %1 · data %2 · %3")
                 .arg(format::shortHash(QString::fromStdString(certificate.provenance.modelHash)),
                     format::shortHash(QString::fromStdString(certificate.provenance.dataHash)),
                     QString::fromStdString(certificate.provenance.date));
    m_text->setText(lines.join(u'\n'));
    m_use->setEnabled(!holds);
}

void GuaranteePanel::showClaims()
{
    int certified = 0;
    int unclaimed = 0;
    QStringList lines;
    for (const GroupCertification& one : m_guarantee->found) {
        const auto& certificate = one.certification.certificate;
        certified += certificate ? 1 : 0;
        unclaimed += one.claimed ? 0 : 1;
        const QString name = QString::fromStdString(one.name);
        lines << (certificate ? tr("✓ %1: from %2 on; bound %3, %4 accepted, %5 wrong")
                                    .arg(name, format::fixed(certificate->threshold, 3),
                                        format::percent(certificate->bound))
                                    .arg(certificate->accepted)
                                    .arg(certificate->errors)
                : one.claimed ? tr("△ %1: %2 more accepted rows, none of them wrong")
                                    .arg(name)
                                    .arg(one.certification.shortfall.moreAccepted)
                              : tr("○ %1: no claim, %2 more rows with it as first candidate")
                                    .arg(name)
                                    .arg(one.certification.shortfall.moreAccepted));
    }
    std::sort(lines.begin(), lines.end(), [](const QString& a, const QString& b) {
        const auto rank = [](const QString& line) {
            return line.startsWith(u'✓') ? 0 : line.startsWith(u'△') ? 1 : 2;
        };
        return std::pair(rank(a), a) < std::pair(rank(b), b);
    });
    m_headline->setText(tr("%1 of %2").arg(certified).arg(m_guarantee->found.size()));
    m_state->setStatus(certified > 0 ? Tone::Ok : Tone::Warn, tr("certified"));
    const QString what = m_guarantee->claim == ClaimKind::Group
        ? tr("Each claim holds for itself, not all at once.")
        : tr("All claims hold at once; each was tested at %1 %.")
              .arg(format::number(m_guarantee->request.delta * 100
                  / double(std::max<std::size_t>(
                      1, m_guarantee->found.size() - std::size_t(unclaimed)))));
    m_text->setText(what % u'\n' % lines.join(u'\n'));
    m_use->setEnabled(certified > 0 && !holds());
}

void GuaranteePanel::suggest()
{
    if (!m_session->hasData()) {
        return;
    }
    m_guarantee.reset();
    m_session->suggest(m_heldOut->isChecked(),
        [this](const Result<Suggestion>& suggestion) { onSuggested(suggestion); });
}

void GuaranteePanel::onSuggested(const Result<Suggestion>& suggestion)
{
    m_suggestion.reset();
    m_headline->clear();
    m_use->setEnabled(false);
    if (!suggestion) {
        m_state->setStatus(Tone::Bad, tr("nothing is suggested"));
        m_text->setText(QString::fromStdString(suggestion.error().text()));
        Q_EMIT changed();
        return;
    }
    const bool own = !suggestion->perIntent.empty();
    m_suggestion = *suggestion;
    m_headline->setText(format::fixed(suggestion->global, 3));
    m_state->setStatus(own ? Tone::Ok : Tone::None,
        own ? tr("and %1 by intent").arg(suggestion->perIntent.size())
            : tr("global: kept for every intent"));
    m_text->setText(QString::fromStdString(suggestion->reason)
        % tr("\ncost a query on held-out rows: global %1, by intent %2 (on their own rows %3) · %4 "
             "queries better, %5 worse, p %6\nA suggestion carries no guarantee, and the rows that "
             "it was made from can't certify it.")
              .arg(format::fixed(suggestion->heldOutGlobal, 4),
                  format::fixed(suggestion->heldOutPerIntent, 4),
                  format::fixed(suggestion->inSamplePerIntent, 4))
              .arg(suggestion->better)
              .arg(suggestion->worse)
              .arg(format::fixed(suggestion->pValue, 3)));
    m_use->setEnabled(true);
    Q_EMIT changed();
}

void GuaranteePanel::use()
{
    if (m_suggestion) {
        m_session->take(*m_suggestion);
        m_use->setEnabled(false);
    } else if (m_guarantee) {
        m_session->take(*m_guarantee);
        refresh();
    }
}

void GuaranteePanel::refresh()
{
    if (m_guarantee) {
        m_guarantee->claim == ClaimKind::Marginal ? showMarginal() : showClaims();
    } else if (!m_suggestion) {
        m_headline->clear();
        m_state->clear();
        m_text->setText(tr("Certify finds the loosest threshold that keeps the error rate, or says "
                           "exactly how many labelled rows it lacks."));
        m_use->setEnabled(false);
    }
    refreshAlarm();
}

void GuaranteePanel::refreshAlarm()
{
    m_shareText->setText(
        m_assume->isChecked() ? format::percent(m_share->value() / 1000.0) : format::missing());
    const auto estimate = m_session->hasData() ? m_session->trafficOutOfScope() : std::nullopt;
    m_alarm->setVisible(estimate.has_value());
    if (!estimate) {
        return;
    }
    const QString live =
        tr("live: about %1 out of scope (%2 to %3)")
            .arg(format::percent(estimate->share), format::percent(estimate->interval.low),
                format::percent(estimate->interval.high));
    const std::optional<double> most = m_guarantee ? m_guarantee->mostOutOfScope : std::nullopt;
    const bool outside = most && estimate->interval.low > *most;
    m_alarm->setInk(outside ? Ink::Bad : Ink::Muted);
    m_alarm->setText(outside
            ? tr("✕ %1: above the %2 that the certificate allows. It is void for this traffic.")
                  .arg(live, format::percent(*most))
            : live);
}

} // namespace sluice::ui

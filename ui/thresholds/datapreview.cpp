#include "ui/thresholds/datapreview.h"

#include "ui/shell/button.h"
#include "ui/shell/format.h"
#include "ui/shell/plaintable.h"
#include "ui/shell/text.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QPlainTextEdit>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

QString nameOf(Split split)
{
    switch (split) {
    case Split::Train:
        return DataPreviewDialog::tr("training");
    case Split::Validation:
        return DataPreviewDialog::tr("validation");
    case Split::Calibration:
        return DataPreviewDialog::tr("calibration");
    case Split::Test:
        return DataPreviewDialog::tr("test");
    case Split::None:
        break;
    }
    return DataPreviewDialog::tr("without a split");
}

QString formatName(DataFormat format)
{
    const std::string_view title = titleOf(format);
    return title.empty() ? DataPreviewDialog::tr("several formats")
                         : QString::fromUtf8(title.data(), qsizetype(title.size()));
}

QStringList remarksOf(const ops::DataPreview& preview)
{
    QStringList remarks;
    for (const auto& [intent, rows] : preview.unknown) {
        remarks << DataPreviewDialog::tr("the model has no intent \"%1\" (%2 rows): they count as "
                                         "out of scope")
                       .arg(QString::fromStdString(intent), format::count(double(rows)));
    }
    for (const std::string& note : preview.report.notes) {
        remarks << QString::fromStdString(note);
    }
    for (const std::string& conflict : preview.report.conflicts) {
        remarks << DataPreviewDialog::tr("conflicting labels: %1")
                       .arg(QString::fromStdString(conflict));
    }
    return remarks;
}

} // namespace

DataPreviewDialog::DataPreviewDialog(const ops::DataPreview& preview, QWidget* parent)
    : QDialog(parent)
{
    setWindowTitle(tr("Labelled data"));
    setMinimumSize(560, 460);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(20, 18, 20, 18);
    layout->setSpacing(10);
    layout->addWidget(
        new Text(FontRole::Title, Ink::Text, QString::fromStdString(preview.source), this));
    auto* summary = new Text(FontRole::Base, Ink::Muted,
        tr("%1 · %2 rows · %3 intents · %4 out of scope · %5 duplicates left out")
            .arg(formatName(preview.report.format), format::count(double(preview.report.rows)),
                format::count(double(preview.intents)), format::count(double(preview.outOfScope)),
                format::count(double(preview.report.duplicates))),
        this);
    summary->setWordWrap(true);
    layout->addWidget(summary);

    auto* splits = new QTableWidget(int(preview.splits.size()), 3, this);
    plainTable(splits, tr("Rows by split"));
    splits->setHorizontalHeaderLabels({tr("split"), tr("rows"), tr("used for")});
    splits->setSelectionMode(QAbstractItemView::NoSelection);
    splits->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    int row = 0;
    for (const auto& [split, rows] : preview.splits) {
        const QString use = split == Split::Train ? tr("nothing: the model has seen them")
            : split == Split::Validation          ? tr("where a certificate's grid comes from")
            : split == Split::Test                ? tr("figures, not certificates")
                                                  : tr("figures and certificates");
        splits->setItem(row, 0, new QTableWidgetItem(nameOf(split)));
        auto* count = new QTableWidgetItem(format::count(double(rows)));
        count->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        splits->setItem(row, 1, count);
        splits->setItem(row, 2, new QTableWidgetItem(use));
        ++row;
    }
    splits->setFixedHeight(30 + 25 * row + 6);
    layout->addWidget(splits);

    QString held = tr("%1 rows are held out and judge thresholds").arg(preview.heldOut);
    if (preview.seen > 0) {
        held +=
            tr("; %1 are left out, for their texts stand in the training or validation part too")
                .arg(preview.seen);
    }
    if (preview.undeclared) {
        held += tr(". Nothing in the file says that they were not trained on: a certificate will "
                   "ask for your word");
    }
    auto* text = new Text(
        FontRole::Base, preview.heldOut == 0 ? Ink::Bad : Ink::Text, QString(held % u'.'), this);
    text->setWordWrap(true);
    layout->addWidget(text);

    const QStringList remarks = remarksOf(preview);
    auto* list = new QPlainTextEdit(this);
    list->setReadOnly(true);
    list->setTabChangesFocus(true);
    list->setAccessibleName(tr("Remarks"));
    list->setPlainText(remarks.isEmpty() ? tr("No conflicting labels and no unknown intents.")
                                         : remarks.join(u'\n'));
    layout->addWidget(list, 1);

    auto* cancel = new Button(tr("Cancel"), ButtonRole::Plain, this);
    m_use = new Button(tr("Use these rows"), ButtonRole::Primary, this);
    m_use->setEnabled(preview.heldOut > 0);
    m_use->setDefault(true);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(cancel);
    buttons->addWidget(m_use);
    layout->addLayout(buttons);
    connect(cancel, &Button::clicked, this, &QDialog::reject);
    connect(m_use, &Button::clicked, this, &QDialog::accept);
}

} // namespace sluice::ui

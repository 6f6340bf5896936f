#pragma once

#include "engine/operations/thresholds/tuningdata.h"

#include <QDialog>

namespace sluice::ui {

class Button;

/// What is in labelled files before they are used: rows by split, what is held out, duplicates,
/// conflicting labels with their lines, intents that the model does not have. Non-blocking: open()
/// and accepted().
class DataPreviewDialog : public QDialog
{
    Q_OBJECT

public:
    explicit DataPreviewDialog(const ops::DataPreview& preview, QWidget* parent = nullptr);
    Button* useButton() const { return m_use; }

private:
    Button* m_use;
};

} // namespace sluice::ui

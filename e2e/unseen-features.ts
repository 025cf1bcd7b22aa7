/** Parts of Chromium's own address bar: processes beside each page, though without a window nobody sees them. */
export const UNSEEN_FEATURES = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup'];

/** Parts of Chromium's own address bar. They cost each page extra processes, and a headless page never shows them. */
export const UNSEEN_FEATURES = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup'];
